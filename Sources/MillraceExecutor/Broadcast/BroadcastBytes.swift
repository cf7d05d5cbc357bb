import MillraceBase
import MillraceWire

/// The bytes of a broadcast value, filled as its pieces arrive. The array becomes the value:
/// nothing of it is copied, and pieces that arrived as they are go out from it to others.
final class BroadcastBytes: Sendable {
    let array: [UInt8]

    init(count: Int) {
        array = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            HugePages.advise(UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    /// Where a piece belongs, for the one `BroadcastArrival` that fills it before anybody reads it.
    /// An array's elements stay where they are as long as somebody holds it and nobody changes it.
    func room(of piece: Int) -> UnsafeMutableRawBufferPointer {
        array.withUnsafeBytes { bytes in
            let range = BroadcastPiece.range(of: piece, in: bytes.count)
            return UnsafeMutableRawBufferPointer(
                mutating: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }
}
