import MillraceBase
import Testing

@testable import MillraceNet

@Suite("gRPC's small encodings") struct CodecTests {
    @Test("timeouts: unit, rounding up, eight digits, and what is none")
    func timeouts() {
        #expect(RPCTimeout.format(.milliseconds(1)) == "1000000n")
        #expect(RPCTimeout.format(.seconds(1)) == "1000000u")
        #expect(RPCTimeout.format(.seconds(-1)) == "0n")
        for duration in [
            Duration.zero, .nanoseconds(1), .milliseconds(999), .seconds(3_600), .seconds(1 << 33),
        ] {
            let parsed = RPCTimeout.parse(Array(RPCTimeout.format(duration).utf8))
            #expect(parsed != nil && parsed! >= min(duration, .seconds(1 << 33)))
        }
        #expect(RPCTimeout.parse(Array("99999999H".utf8)) == .seconds(99_999_999) * 3_600)
        for text in ["", "1", "S", "123456789S", "1x", "-1S", "1.5S", " 1S"] {
            #expect(RPCTimeout.parse(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test("messages: what is not printable ASCII as %XX, and broken escapes as they are")
    func percent() {
        let text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈 100 %\t\n"
        let encoded = PercentCoding.encode(text)
        #expect(encoded.allSatisfy { $0 >= 0x20 && $0 <= 0x7E })
        #expect(PercentCoding.decode(encoded) == text)
        #expect(PercentCoding.decode(Array("%4g%4%".utf8)) == "%4g%4%")
        #expect(PercentCoding.decode(Array("%ff".utf8)) == "\u{FFFD}")
    }

    @Test("binary metadata: base64 with and without padding")
    func base64() {
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 77) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("hello".utf8)) == Array("aGVsbG8".utf8))
        #expect(Base64.decode(Array("aGVsbG8=".utf8)) == Array("hello".utf8))
        #expect(Base64.decode(Array("a".utf8)) == nil)
        #expect(Base64.decode(Array("a*bc".utf8)) == nil)
        #expect(Base64.decode(Array("ab=c".utf8)) == nil)
    }

    @Test("message framing: whatever the pieces, the same messages")
    func deframing() throws {
        var bytes: [UInt8] = []
        let messages: [[UInt8]] = [[], [1], [UInt8](repeating: 2, count: 300), []]
        for message in messages {
            bytes += [0, 0, 0, UInt8(message.count >> 8), UInt8(message.count & 255)] + message
        }
        for size in [1, 2, 3, 7, 64, bytes.count] {
            var deframer = RPCDeframer(limit: .kibibytes(1))
            var found: [[UInt8]] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                try piece.withUnsafeBytes { try deframer.receive($0, into: &found) }
            }
            #expect(found == messages)
            #expect(deframer.isAtBoundary)
        }
    }

    @Test("endpoints: names, addresses, brackets")
    func endpoints() throws {
        #expect(try Endpoint(parsing: "node1:7077") == Endpoint(host: "node1", port: 7_077))
        #expect(try Endpoint(parsing: "[::1]:80") == Endpoint(host: "::1", port: 80))
        for text in ["", "node1", ":80", "node1:", "node1:99999", "::1:80"] {
            #expect(throws: NetError.self, "\(text)") { try Endpoint(parsing: text) }
        }
        #expect(try SocketAddress(host: "::1", port: 1).isLoopback)
        #expect(try SocketAddress(host: "127.8.8.8", port: 1).isLoopback)
        #expect(try !SocketAddress(host: "10.0.0.1", port: 1).isLoopback)
        #expect(try SocketAddress(host: "::1", port: 80).description == "[::1]:80")
    }
}
