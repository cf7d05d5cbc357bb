import MillraceBase
import Testing

@testable import MillraceNet

/// SplitMix64: the same bytes from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Valid input with a few things wrong: flipped, dropped, doubled, inserted, cut off.
private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 0...4, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: bytes.insert(contentsOf: bytes.prefix(place).suffix(20), at: place)
        case 4 where random.next() % 8 == 0: bytes.removeLast(bytes.count - place)
        default: break
        }
    }
    return bytes
}

/// Gives the bytes away in pieces of random size, as a network does.
private func feed(
    _ bytes: [UInt8], _ random: inout SeededGenerator,
    _ body: (UnsafeRawBufferPointer) throws -> Void
) rethrows {
    var position = 0
    while position < bytes.count {
        let size = Int.random(in: 1...max(1, min(64, bytes.count - position)), using: &random)
        try bytes[position..<position + size].withUnsafeBytes { try body($0) }
        position += size
    }
}

/// No input may trap, hang, or make a decoder keep more than it was given. Seeds are fixed; a
/// failure is repeated by running the test.
@Suite("Broken input") struct FuzzTests {
    @Test("of the block stream is refused or understood", arguments: 0..<8 as Range<UInt64>)
    func frames(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let valid =
            Frame(kind: .hello, stream: 0, payload: BlockMessages.hello(token: "t")).bytes(
                checksum: true)
            + Frame(kind: .fetch, stream: 1, payload: BlockMessages.fetch([.init(key: [1, 2, 3])]))
            .bytes(checksum: false)
            + Frame(kind: .block, stream: 1, payload: pattern(50)).bytes(checksum: true)
            + Frame(
                kind: .failure, stream: 1, payload: BlockMessages.failure(index: 3, .notFound("x"))
            ).bytes(checksum: true)
        var understood = 0
        for _ in 0..<2_000 {
            let bytes = mutate(valid, &random)
            var decoder = FrameDecoder(limit: .kibibytes(4))
            var events: [FrameDecoder.Event] = []
            do {
                try feed(bytes, &random) { try decoder.receive($0, into: &events) }
            } catch {}
            for case .frame(let frame) in events {
                understood += 1
                _ = try? BlockMessages.readHello(frame.payload)
                _ = try? BlockMessages.readFetch(frame.payload, limit: 100)
                _ = try? BlockMessages.readFailure(frame.payload)
            }
        }
        #expect(understood > 1_000)
    }

    @Test(
        "of gRPC messages, timeouts, percent and base64 is refused or understood",
        arguments: 0..<8 as Range<UInt64>)
    func messages(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let valid: [UInt8] =
            [0, 0, 0, 0, 3, 8, 1, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100] + pattern(100)
        var understood = 0
        for _ in 0..<2_000 {
            let bytes = mutate(valid, &random)
            var deframer = RPCDeframer(limit: .kibibytes(1))
            var messages: [[UInt8]] = []
            do {
                try feed(bytes, &random) { try deframer.receive($0, into: &messages) }
            } catch {}
            understood += messages.count
            #expect(messages.reduce(0) { $0 + $1.count } <= bytes.count)
            for message in messages { _ = try? ProtoField.parse(message) }
            _ = RPCTimeout.parse(mutate(Array("12345678m".utf8), &random))
            _ = PercentCoding.decode(mutate(Array("a%20%C3%A9%%zz".utf8), &random))
            _ = Base64.decode(mutate(Array("aGVsbG8gd29ybGQ=".utf8), &random))
            var index = DescriptorIndex()
            if random.next() % 64 == 0, let set = DescriptorIndex.embedded("grpc.health.v1") {
                try? index.add(mutate(set, &random))
            }
        }
        #expect(understood > 1_000)
    }

    @Test(
        "of HTTP/2 ends the connection or the call, never the process",
        arguments: 0..<4 as Range<UInt64>)
    func http2(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let valid = try recordedRequest()
        for _ in 0..<500 {
            let sink = SessionSink()
            let session = try HTTP2Session(
                isServer: true, options: .init(), maxConcurrentStreams: 10, delegate: sink)
            do {
                try feed(mutate(valid, &random), &random) { bytes in
                    try session.receive(bytes)
                    while try session.nextOutput() != nil {}
                }
            } catch {}
            session.die(.connectionLost("over"))
        }
    }

    /// What a client sends for one call.
    private func recordedRequest() throws -> [UInt8] {
        let sink = SessionSink()
        let session = try HTTP2Session(
            isServer: false, options: .init(), maxConcurrentStreams: 0, delegate: sink)
        let stream = HTTP2Stream(.init())
        var block = HTTP2HeaderBlock()
        for (name, value) in [
            (":method", "POST"), (":scheme", "http"), (":path", "/t.S/M"), (":authority", "x"),
            ("te", "trailers"),
            ("content-type", "application/grpc"), ("grpc-timeout", "1S"), ("x-raw-bin", "AAEC"),
        ] {
            block.append(name, value)
        }
        try session.open(stream, block)
        stream.send(message: pattern(200))
        stream.end()
        var bytes: [UInt8] = []
        while let piece = try session.nextOutput() { bytes.append(contentsOf: piece) }
        return bytes
    }
}

/// Takes what a session says, and answers each request.
private final class SessionSink: HTTP2SessionDelegate, HTTP2StreamDelegate {
    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, _ headers: HTTP2Headers) {
        stream.delegate = self
        _ = RPCMetadata(headers.fields)
        var block = HTTP2HeaderBlock()
        block.append(":status", "200")
        stream.start(block)
        stream.send(message: [1, 2, 3])
        stream.end()
    }
    func sessionReceivedSettings(_ session: HTTP2Session) {}
    func sessionReceivedGoAway(_ session: HTTP2Session) {}
    func sessionReceivedPong(_ session: HTTP2Session) {}
    func sessionNeedsOutput(_ session: HTTP2Session) {}
    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers) {}
    func stream(_ stream: HTTP2Stream, received data: UnsafeRawBufferPointer) {}
    func streamReceivedEnd(_ stream: HTTP2Stream) {}
    func streamHasRoom(_ stream: HTTP2Stream) {}
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) {}
}
