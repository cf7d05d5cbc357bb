import MillraceBase
import MillraceStore
import Testing

@Suite struct BlockFrameTests {
    private static let codecs: [CompressionCodec?] = [nil, .lz4, .zstd]

    private func noise(_ count: Int) -> [UInt8] {
        var generator = SplitMix64(seed: UInt64(count))
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private func unpack(_ frame: [UInt8]) throws -> [UInt8] {
        var position = 0
        let raw = try BlockFrame.unpack(frame, at: &position)
        guard position == frame.count else { throw ByteError(offset: position, reason: "left") }
        return raw
    }

    @Test(arguments: codecs) func framesComeBack(codec: CompressionCodec?) throws {
        for raw in [
            [], [7], noise(3), noise(70_000), [UInt8](repeating: 3, count: 1 << 20),
            Array(String(repeating: "the quick brown fox ", count: 99).utf8),
        ] {
            #expect(try unpack(BlockFrame.pack(raw, codec)) == raw)
        }
        let zeros = BlockFrame.pack([UInt8](repeating: 3, count: 1 << 20), codec)
        #expect(zeros.count < 8192 || codec == nil)
        #expect(BlockFrame.pack(noise(1000), codec).count == 1000 + BlockFrame.headerSize)
    }

    @Test func framesOfAllMethodsLieOneBehindTheOther() throws {
        let parts = [noise(10), [], [UInt8](repeating: 1, count: 500)]
        let all = Self.codecs.flatMap { codec in parts.map { (codec, $0) } }
        let bytes = all.flatMap { BlockFrame.pack($0.1, $0.0) }
        var position = 0
        for (_, part) in all { #expect(try BlockFrame.unpack(bytes, at: &position) == part) }
        #expect(position == bytes.count)
        #expect(throws: ByteError.self) { try BlockFrame.unpack(bytes, at: &position) }
    }

    @Test(arguments: codecs) func everyWrongByteIsDetected(codec: CompressionCodec?) throws {
        for raw in [noise(40), [UInt8](repeating: 5, count: 300)] {
            let frame = BlockFrame.pack(raw, codec)
            for index in frame.indices {
                for change in [0x01, 0x40, 0xFF] as [UInt8] {
                    var damaged = frame
                    damaged[index] ^= change
                    #expect(throws: ByteError.self) { try unpack(damaged) }
                }
                #expect(throws: ByteError.self) { try unpack(Array(frame[..<index])) }
            }
            #expect(throws: ByteError.self) { try unpack(frame + [0]) }
        }
    }

    @Test("encrypted frames open with their key only, whole or not at all", arguments: [128, 256])
    func encrypted(bits: Int) throws {
        let cipher = BlockCipher(key: BlockCipher.makeKey(bits: bits))
        let long = Array("secret ".utf8) + [UInt8](repeating: 7, count: 900)
        for raw in [[], Array("secret".utf8), long] {
            let frame = BlockFrame.pack(raw, .lz4, cipher)
            #expect(BlockFrame.wholeFrames(frame) == frame.count)
            #expect(BlockFrame.pack(raw, .lz4, cipher) != frame, "a nonce was used twice")
            #expect(!frame.contains(sequence: "secret"))
            var position = 0
            #expect(try BlockFrame.unpack(frame, at: &position, cipher) == raw)
            #expect(position == frame.count)
            let others = [nil, BlockCipher(key: BlockCipher.makeKey(bits: bits))]
            for other in others {
                #expect(throws: ByteError.self) {
                    var position = 0
                    _ = try BlockFrame.unpack(frame, at: &position, other)
                }
            }
            #expect(throws: ByteError.self, "a frame that is not encrypted passes") {
                var position = 0
                _ = try BlockFrame.unpack(BlockFrame.pack(raw, nil), at: &position, cipher)
            }
        }
    }
}

extension [UInt8] {
    fileprivate func contains(sequence text: String) -> Bool {
        let text = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: text) }
    }
}
