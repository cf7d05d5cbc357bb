import MillraceBase
import MillraceWire

/// The bytes of a cached partition, the same in memory, on disk and on the wire: frames one behind
/// the other, each some batches of rows.
///
///     length u32 · CRC-32C of the rest u32 · batches of `RowCodec`
///
/// little-endian. A damaged frame is noticed where it is read.
enum BlockFrames {
    static let headSize = 8
    /// A frame that claims more is damaged.
    static let largest = 1 << 30

    /// One chunk of rows as a frame.
    static func frame<Element>(
        _ rows: [Element], _ codec: RowCodec<Element>
    ) throws -> [UInt8] {
        try rows.withUnsafeBufferPointer { try frame($0, codec) }
    }

    static func frame<Element>(
        _ rows: UnsafeBufferPointer<Element>, _ codec: RowCodec<Element>
    ) throws -> [UInt8] {
        var writer = ByteWriter(
            capacity: headSize + 16 + rows.count * MemoryLayout<Element>.stride)
        writer.writeFixed(UInt64(0))
        try codec.encode(rows, into: &writer)
        var bytes = writer.bytes
        bytes.withUnsafeMutableBytes { frame in
            let body = UnsafeRawBufferPointer(rebasing: frame[headSize...])
            var sum = CRC32C()
            sum.update(body)
            frame.storeBytes(of: UInt32(body.count).littleEndian, as: UInt32.self)
            frame.storeBytes(of: sum.value.littleEndian, toByteOffset: 4, as: UInt32.self)
        }
        return bytes
    }

    /// Bytes behind the head. Throws for a head that cannot be one.
    static func bodySize(_ head: [UInt8], of block: RDDBlockID) throws -> Int {
        guard head.count >= headSize else { throw damaged(block, "a frame's head is cut off") }
        let size = head.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)))
        }
        guard size <= largest else { throw damaged(block, "a frame of \(size) bytes") }
        return size
    }

    /// Appends the rows of a whole frame.
    static func append<Element>(
        _ frame: [UInt8], of block: RDDBlockID, _ codec: RowCodec<Element>,
        to rows: RowBuffer<Element>
    ) throws {
        let size = try bodySize(frame, of: block)
        let expected = frame.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        }
        guard frame.count == headSize + size,
            CRC32C.checksum(frame[headSize...]) == expected
        else { throw damaged(block, "a frame's checksum does not fit its bytes") }
        var reader = ByteReader(frame[headSize...])
        while !reader.isAtEnd { try codec.decode(from: &reader, into: rows) }
    }

    /// Cuts a block that came in one piece.
    static func split(_ bytes: [UInt8], of block: RDDBlockID) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            let head = Array(bytes[position..<min(position + headSize, bytes.count)])
            let end = position + headSize + (try bodySize(head, of: block))
            guard end <= bytes.count else { throw damaged(block, "a frame is cut off") }
            frames.append(Array(bytes[position..<end]))
            position = end
        }
        return frames
    }

    private static func damaged(_ block: RDDBlockID, _ what: String) -> MillraceError {
        MillraceError(.corruptData, "block \(block) is damaged: \(what)")
    }
}
