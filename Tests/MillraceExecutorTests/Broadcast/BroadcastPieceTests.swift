import MillraceBase
import MillraceNet
import MillraceStore
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
        let back = BroadcastBytes(count: count)
        let served = try pieces.indices.reversed().map { index in
            let arrival = BroadcastArrival(index, of: back)
            try arrive(bytes(of: pieces[index]), at: arrival)
            return bytes(of: try arrival.complete())
        }
        #expect(back.array == value)
        // What goes on to others is what came.
        #expect(served.reversed() == pieces.map { bytes(of: $0) })
    }

    @Test(
        "a value comes back from pieces of the size of the settings, compressed or not",
        arguments: [1_000, 4_096, 100_000], [true, false])
    func settings(size: Int, compress: Bool) throws {
        let value = (0..<9_000).map { UInt8($0 / 1_000) }
        let pieces = BroadcastPiece.pieces(of: value, size: size, compress: compress)
        #expect(pieces.count == (9_000 + size - 1) / size)
        let sent = pieces.reduce(0) { $0 + bytes(of: $1).count }
        if compress {
            #expect(sent < 3_000)
        } else {
            #expect(sent == 9_000 + pieces.count * LZ4.headerSize)
        }
        let back = BroadcastBytes(count: value.count, pieceSize: size)
        for index in pieces.indices {
            let arrival = BroadcastArrival(index, of: back)
            try arrive(bytes(of: pieces[index]), at: arrival)
            _ = try arrival.complete()
        }
        #expect(back.array == value)
    }

    @Test("a value that was made of its bytes is in the ledger until it is removed")
    func ledger() {
        let memory = MemoryManager(
            limit: MemoryLimit(bytes: 1 << 20, source: .setting), total: 1 << 20, storageRegion: 0)
        let client = BroadcastClient(memory: memory, fetcher: NoBlockFetcher()) { _ in }
        client.note(BroadcastID(3), bytes: 1_000, isOwnBytes: false)
        client.note(BroadcastID(3), bytes: 2_000, isOwnBytes: false)
        let entry = memory.ledger().entries.first
        #expect(entry?.name == "value of broadcast 3" && entry?.bytes == 2_000)
        client.remove([BroadcastID(3)])
        #expect(memory.ledger().entries.isEmpty && memory.ledger().storageUsed == 0)
    }

    @Test func whatShrinksIsServedSmallerAndWhatDoesNotIsNotCopied() {
        var random = SplitMix64(seed: 2)
        let value = (0..<(2 * BroadcastPiece.size)).map {
            $0 < BroadcastPiece.size ? 7 : UInt8(truncatingIfNeeded: random.next())
        }
        let pieces = BroadcastPiece.pieces(of: value)
        #expect(pieces[0].length! < UInt64(BroadcastPiece.size / 100))
        guard case .slice(let prefix, let slice) = pieces[1] else {
            Issue.record("not a part of the value")
            return
        }
        #expect(prefix.count == LZ4.headerSize)
        let isSame = slice.withUnsafeBytes { part in
            value.withUnsafeBytes { part.baseAddress == $0.baseAddress! + BroadcastPiece.size }
        }
        #expect(isSame)
    }

    @Test func aPieceInAnotherPlaceIsRefusedBySize() {
        let pieces = BroadcastPiece.pieces(
            of: [UInt8](repeating: 1, count: BroadcastPiece.size + 5))
        let arrival = BroadcastArrival(
            1, of: BroadcastBytes(count: BroadcastPiece.size + 5))
        #expect(throws: BlockError.self) { try arrive(bytes(of: pieces[0]), at: arrival) }
    }

    @Test(arguments: [0, 1, 5, 9, 12, 13, 5_000])
    func aPieceWithAChangedByteIsRefused(_ place: Int) {
        var random = SplitMix64(seed: 3)
        let value = (0..<5_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var piece = bytes(of: BroadcastPiece.pieces(of: value)[0])
        piece[place] ^= 1
        let arrival = BroadcastArrival(0, of: BroadcastBytes(count: value.count))
        #expect(throws: (any Error).self) {
            try arrive(piece, at: arrival)
            _ = try arrival.complete()
        }
    }

    @Test func aPieceThatIsCutOffIsRefused() throws {
        let piece = bytes(of: BroadcastPiece.pieces(of: [1, 2, 3])[0])
        let arrival = BroadcastArrival(0, of: BroadcastBytes(count: 3))
        try arrive(piece.dropLast(), at: arrival)
        #expect(throws: ByteError.self) { try arrival.complete() }
    }

    @Test func aPieceThatBeginsAgainReplacesWhatCame() throws {
        let piece = bytes(of: BroadcastPiece.pieces(of: [1, 2, 3])[0])
        let value = BroadcastBytes(count: 3)
        let arrival = BroadcastArrival(0, of: value)
        try arrive(piece.dropLast(), at: arrival)
        try arrive(piece, at: arrival)
        _ = try arrival.complete()
        #expect(value.array == [1, 2, 3])
    }

    @Test func whoGaveUpIsWrittenNothingMore() throws {
        let piece = bytes(of: BroadcastPiece.pieces(of: [1, 2, 3])[0])
        let value = BroadcastBytes(count: 3)
        let late = BroadcastArrival(0, of: value)
        late.giveUp()
        #expect(throws: BlockError.cancelled) { try arrive(piece, at: late) }
    }

    private func bytes(of content: BlockContent) -> [UInt8] {
        switch content {
        case .bytes(let bytes): bytes
        case .slice(let prefix, let slice): prefix + slice
        case .file, .failure, .later: []
        }
    }

    /// In portions, as from a socket.
    private func arrive(_ piece: [UInt8], at arrival: BroadcastArrival) throws(BlockError) {
        try arrival.begin(0, length: piece.count)
        for start in stride(from: 0, to: piece.count, by: 60_000) {
            let portion = Array(piece[start..<min(start + 60_000, piece.count)])
            do {
                try portion.withUnsafeBytes { try arrival.take($0) }
            } catch let error as BlockError {
                throw error
            } catch {
                throw .failed("\(error)")
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
