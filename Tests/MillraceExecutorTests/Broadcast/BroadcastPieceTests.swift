import MillraceBase
import Testing

@testable import MillraceExecutor

@Suite struct BroadcastPieceTests {
    @Test(arguments: [0, 1, BroadcastPiece.size, 2 * BroadcastPiece.size + 5])
    func aValueComesBackFromItsPieces(_ count: Int) throws {
        var random = SplitMix64(seed: 1)
        // The first half shrinks, the second does not.
        let value = (0..<count).map {
            $0 < count / 2 ? 7 : UInt8(truncatingIfNeeded: random.next())
        }
        let pieces = BroadcastPiece.pieces(of: value)
        #expect(pieces.count == BroadcastPiece.count(of: count))
        var back = [UInt8](repeating: 0, count: count)
        for index in pieces.indices.reversed() {
            try back.withUnsafeMutableBytes {
                try BroadcastPiece.unpack(pieces[index], index, into: $0)
            }
        }
        #expect(back == value)
    }

    @Test func aPieceInAnotherPlaceIsRefusedBySize() {
        let pieces = BroadcastPiece.pieces(
            of: [UInt8](repeating: 1, count: BroadcastPiece.size + 5))
        var back = [UInt8](repeating: 0, count: BroadcastPiece.size + 5)
        #expect(throws: ByteError.self) {
            try back.withUnsafeMutableBytes {
                try BroadcastPiece.unpack(pieces[0], 1, into: $0)
            }
        }
    }

    @Test func anArrayOfBytesIsItsOwnForm() throws {
        let value: [UInt8] = [1, 2, 3]
        #expect(try BroadcastCoding.bytes(of: value) == value)
        #expect(try BroadcastCoding<[UInt8]>.value(of: value, BroadcastID(0)) == value)
    }

    @Test func otherValuesAreEncoded() throws {
        let bytes = try BroadcastCoding.bytes(of: ["a": 1])
        #expect(try BroadcastCoding<[String: Int]>.value(of: bytes, BroadcastID(0)) == ["a": 1])
        #expect(
            try BroadcastCoding<[Int]>.value(
                of: BroadcastCoding<[Int]>.bytes(of: []), BroadcastID(0)) == [])
    }
}
