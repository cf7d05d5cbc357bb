import MillraceBase

extension BlockContent {
    /// Sends a part of it as one frame. A checksum is made of bytes that have none of their own.
    func send(
        _ range: Range<Int>, as kind: FrameKind, _ stream: UInt32, head: [UInt8], checksum: Bool,
        on connection: Connection
    ) {
        var start: [UInt8] = []
        func begin(_ sum: UInt32? = nil) {
            FrameHeader(kind, stream: stream, length: head.count + range.count, checksum: sum)
                .write(to: &start)
            start.append(contentsOf: head)
        }
        switch self {
        case .bytes(let bytes):
            var sum: UInt32?
            if checksum {
                var crc = CRC32C()
                crc.update(head)
                crc.update(bytes[range])
                sum = crc.value
            }
            begin(sum)
            connection.write(start)
            if range.count == bytes.count {
                connection.write(bytes)
            } else {
                connection.write(bytes[range])
            }
        case .slice(let prefix, let slice):
            begin()
            start.append(contentsOf: prefix[range.clamped(to: prefix.indices)])
            connection.write(start)
            let skipped = max(range.lowerBound - prefix.count, 0)
            let end = max(range.upperBound - prefix.count, 0)
            connection.write(slice.dropFirst(skipped).prefix(end - skipped))
        case .file(let file, let offset, _):
            begin()
            connection.write(start)
            connection.write(file, offset: offset + UInt64(range.lowerBound), count: range.count)
        case .failure, .later: preconditionFailure("it has no bytes")
        }
    }
}
