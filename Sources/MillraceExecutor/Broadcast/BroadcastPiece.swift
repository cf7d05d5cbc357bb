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
                var block: [UInt8] = []
                block.reserveCapacity(LZ4.headerSize + end - piece * size)
                LZ4.appendBlock(
                    UnsafeRawBufferPointer(rebasing: value[piece * size..<end]), to: &block)
                return block
            }
        }
    }
}
