import MillraceBase
import MillraceStore

/// A broadcast value's bytes cut into pieces, each compressed where that pays and with a checksum.
public enum BroadcastPiece {
    /// Raw bytes of each piece but the last. Spark's `spark.broadcast.blockSize`.
    public static let size = 4 << 20

    /// The name of a piece on the data plane; Spark's.
    static func name(_ id: BroadcastID, _ piece: Int) -> String {
        "broadcast_\(id.rawValue)_piece\(piece)"
    }

    /// Pieces that a value of so many bytes has.
    public static func count(of bytes: Int) -> Int { max(1, (bytes + size - 1) / size) }

    public static func pieces(of value: [UInt8]) -> [[UInt8]] {
        value.withUnsafeBytes { value in
            (0..<count(of: value.count)).map { piece in
                let end = min((piece + 1) * size, value.count)
                let raw = UnsafeRawBufferPointer(rebasing: value[piece * size..<end])
                let room = LZ4.headerSize + raw.count
                let block = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                    HugePages.advise(UnsafeMutableRawBufferPointer(buffer))
                    count = LZ4.writeBlock(raw, at: buffer.baseAddress!)
                }
                // What shrank does not keep the room it did not need.
                return block.count < room / 4 * 3 ? Array(block[...]) : block
            }
        }
    }

    /// Unpacks a piece of a value to its place among the value's bytes.
    static func unpack(
        _ packed: [UInt8], _ piece: Int, into value: UnsafeMutableRawBufferPointer
    ) throws(ByteError) {
        let end = min((piece + 1) * size, value.count)
        try LZ4.decompress(
            packed, into: UnsafeMutableRawBufferPointer(rebasing: value[piece * size..<end]))
    }
}
