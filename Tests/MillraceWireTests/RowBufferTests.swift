import MillraceWire
import Testing

@Suite struct RowBufferTests {
    /// Counts its living copies.
    private final class Token {
        nonisolated(unsafe) static var living = 0
        let number: Int
        init(_ number: Int) {
            self.number = number
            Token.living += 1
        }
        deinit { Token.living -= 1 }
    }
    private struct Refused: Error {}

    private func tokens(_ count: Int) -> RowBuffer<Token> {
        let buffer = RowBuffer<Token>()
        for number in 0..<count { buffer.append(Token(number)) }
        return buffer
    }

    @Test("rows are there in their order, and are released once whatever is done with them")
    func releasesEachRowOnce() {
        var given: [Token] = []
        do {
            let buffer = tokens(100)
            #expect(buffer.map(\.number) == Array(0..<100))
            buffer.moveEach { given.append($0) }
            #expect(buffer.isEmpty && given.map(\.number) == Array(0..<100))
            buffer.append(contentsOf: given)
            #expect(buffer.takeArray().count == 100 && buffer.isEmpty)
            buffer.append(contentsOf: given)
            buffer.removeAll()
            buffer.append(contentsOf: given.prefix(3))
            let other = tokens(2)
            buffer.swap(with: other)
            #expect(buffer.count == 2 && other.count == 3)
        }
        #expect(Token.living == 100)
        given = []
        #expect(Token.living == 0)
    }

    @Test("what throws half-way loses the rest, and releases it")
    func throwsHalfWay() {
        let buffer = tokens(10)
        #expect(throws: Refused.self) {
            try buffer.moveEach { if $0.number == 4 { throw Refused() } }
        }
        #expect(buffer.isEmpty && Token.living == 0)
    }

    @Test("rows are removed in place; an error keeps what was not looked at")
    func removesInPlace() {
        let buffer = tokens(10)
        buffer.removeAll { $0.number % 3 == 0 }
        #expect(buffer.map(\.number) == [1, 2, 4, 5, 7, 8])
        #expect(throws: Refused.self) {
            try buffer.removeAll {
                if $0.number == 5 { throw Refused() }
                return $0.number != 2
            }
        }
        #expect(buffer.map(\.number) == [2, 5, 7, 8])
        #expect(Token.living == 4)
    }
}
