import Glibc
import Testing

@testable import Millrace

/// The socket source's descriptor, between the thread that reads it and whoever stops the query.
@Suite struct SharedSocketTests {
    /// A number that nobody else in this process is given, because the kernel gives the lowest.
    private static let number: Int32 = 900

    @Test func aNumberThatWasClosedAndGivenToAnotherIsLeftAlone() throws {
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { pair.forEach { close($0) } }
        try #require(dup2(pair[0], Self.number) == Self.number)
        let ended = SharedSocket(Self.number)
        ended.close()

        try #require(dup2(pair[1], Self.number) == Self.number)
        defer { close(Self.number) }
        ended.endReading()
        var byte: UInt8 = 7
        #expect(send(Self.number, &byte, 1, Int32(MSG_NOSIGNAL)) == 1)
    }
}
