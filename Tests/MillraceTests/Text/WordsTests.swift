import MillraceExecutor
import MillraceWire
import Testing

@testable import Millrace

@Suite struct WordsTests {
    private static let alphabet: [Character] = [
        "a", "b", "c", "d", "e", "é", "漢", "👍🏽",
        "\u{7F}", "\u{1}", " ", " ", "\t", "\n", "\r",
        "\r\n",
    ]

    /// By the definition: maximal runs of anything but ASCII white space.
    private func oracle(_ text: String) -> [String] {
        text.utf8.split { (0x09...0x0D).contains($0) || $0 == 0x20 }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func areWhatWhiteSpaceSeparates() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<20_000 {
            // Few kinds of characters make long words, many short ones.
            let kinds = Int.random(in: 1...Self.alphabet.count, using: &random)
            let count = Int.random(in: 0...60, using: &random)
            let text = String(
                (0..<count).map { _ in Self.alphabet[Int.random(in: 0..<kinds, using: &random)] })
            #expect(Array(text.words()) == oracle(text), "\(text.debugDescription)")
        }
    }

    @Test func areTheSameInChunksOfAnySize() {
        let text = "the quick  brown fox\tjumped over antidisestablishmentarianism\n"
        for limit in 1...9 {
            var iterator = text.words().makeIterator()
            var found: [String] = []
            let chunk = RowBuffer<String>()
            repeat {
                chunk.removeAll()
                iterator.append(to: chunk, upTo: limit)
                #expect(chunk.count <= limit)
                found += chunk
            } while !chunk.isEmpty
            #expect(found == oracle(text))
        }
    }

    @Test(arguments: [1, 3]) func aLineOfManyWordsIsConsumedInChunks(lines: Int) async throws {
        let line = (0..<10_001).map(String.init).joined(separator: " ")
        let words = try await serialContext()
            .parallelize(Array(repeating: line, count: lines), 1).flatMap { $0.words() }.collect()
        #expect(words == (0..<lines).flatMap { _ in (0..<10_001).map(String.init) })
    }
}
