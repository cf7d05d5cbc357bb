import CZlib
import MillraceBase

/// The content of a gzip file: all its members one after the other (as `gzip -c a b` and log
/// rotation make them).
final class GzipBytes: ByteSource {
    private let compressed: any ByteSource
    private let path: String
    private let stream: UnsafeMutablePointer<z_stream>
    /// Compressed bytes; those from `filled` on mean nothing.
    private var input = [UInt8](repeating: 0, count: 256 << 10)
    private var filled = 0
    private var position = 0
    /// Within a member; a file may end only between two.
    private var isInMember = true

    init(_ compressed: any ByteSource, path: String) throws {
        self.compressed = compressed
        self.path = path
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 window bits, plus 16 for a gzip header.
        let status = inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw MillraceError(.system, "zlib cannot start (\(status))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            if position == filled {
                filled = try input.withUnsafeMutableBytes { try compressed.read(into: $0) }
                position = 0
                if filled == 0 {
                    if isInMember { throw corrupt("it ends within a member") }
                    return 0
                }
            }
            if !isInMember {
                // Padding with zeros between members and at the end is what tape and block tools
                // leave.
                while position < filled, input[position] == 0 { position += 1 }
                if position == filled { continue }
                guard inflateReset(stream) == Z_OK else { throw corrupt("reset failed") }
                isInMember = true
            }
            let count = try inflateMore(into: buffer)
            if count > 0 { return count }
        }
    }

    private func inflateMore(into output: UnsafeMutableRawBufferPointer) throws -> Int {
        let room = min(output.count, Int(UInt32.max))
        let status = input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress! + position
            stream.pointee.avail_in = UInt32(filled - position)
            stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(room)
            return inflate(stream, Z_NO_FLUSH)
        }
        position = filled - Int(stream.pointee.avail_in)
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isInMember = false
        default:
            throw corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "zlib says \(status)")
        }
        return room - Int(stream.pointee.avail_out)
    }

    private func corrupt(_ why: String) -> MillraceError {
        MillraceError(.corruptData, "\(path) is not a whole gzip file: \(why)")
    }
}
