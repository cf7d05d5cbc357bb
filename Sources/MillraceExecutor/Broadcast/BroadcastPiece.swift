import MillraceBase
import MillraceNet
import MillraceStore

/// A broadcast value's bytes cut into pieces, each compressed where that pays and with a checksum.
public enum BroadcastPiece {
    /// Raw bytes of each piece but the last, where the settings say nothing else.
    public static let size = 4 << 20

    /// The name of a piece on the data plane; Spark's.
    static func name(_ id: BroadcastID, _ piece: Int) -> String {
        "broadcast_\(id.rawValue)_piece\(piece)"
    }

    /// Pieces that a value of so many bytes has.
    public static func count(of bytes: Int, size: Int = size) -> Int {
        max(1, (bytes + size - 1) / size)
    }

    /// Where a piece's bytes are among the value's.
    static func range(of piece: Int, in count: Int, size: Int = size) -> Range<Int> {
        piece * size..<min((piece + 1) * size, count)
    }

    /// What is served for each piece. One that does not shrink is not copied: it goes out from the
    /// value's own bytes.
    public static func pieces(
        of value: [UInt8], size: Int = size, compress: Bool = true
    ) -> [BlockContent] {
        var scratch: [UInt8] = []
        return (0..<count(of: value.count, size: size)).map { piece in
            let range = range(of: piece, in: value.count, size: size)
            if !compress {
                let header = LZ4.BlockHeader(storing: value[range])
                return .slice(prefix: header.bytes, value[range])
            }
            if let header = LZ4.appendBlock(value[range], ifSmaller: &scratch) {
                return .slice(prefix: header.bytes, value[range])
            }
            defer { scratch.removeAll(keepingCapacity: true) }
            return .slice(prefix: [], Array(scratch)[...])
        }
    }
}
