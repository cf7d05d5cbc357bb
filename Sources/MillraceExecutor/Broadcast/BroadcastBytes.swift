import MillraceBase
import MillraceWire

/// The bytes of a broadcast value, filled as its pieces arrive. The array becomes the value:
/// nothing of it is copied, and pieces that arrived as they are go out from it to others.
final class BroadcastBytes: Sendable {
    let array: [UInt8]
    private let pieceSize: Int

    init(count: Int, pieceSize: Int = BroadcastPiece.size) {
        self.pieceSize = pieceSize
        array = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            HugePages.advise(UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    var pieces: Int { BroadcastPiece.count(of: array.count, size: pieceSize) }

    /// Which of the bytes a piece is.
    func range(of piece: Int) -> Range<Int> {
        BroadcastPiece.range(of: piece, in: array.count, size: pieceSize)
    }

    /// Where a piece belongs, for the one `BroadcastArrival` that fills it before anybody reads it.
    /// An array's elements stay where they are as long as somebody holds it and nobody changes it.
    func room(of piece: Int) -> UnsafeMutableRawBufferPointer {
        array.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(
                mutating: UnsafeRawBufferPointer(rebasing: bytes[range(of: piece)]))
        }
    }
}
