import CZlib
import MillraceBase
import MillraceWire
import Testing

@testable import MillraceExecutor

/// Bytes in pieces of a given size.
private final class Pieces: ByteSource {
    private var bytes: ArraySlice<UInt8>
    private let size: Int
    init(_ bytes: some Sequence<UInt8>, size: Int) {
        self.bytes = ArraySlice(Array(bytes))
        self.size = size
    }
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let piece = bytes.prefix(min(size, buffer.count))
        buffer.copyBytes(from: piece)
        bytes = bytes.dropFirst(piece.count)
        return piece.count
    }
}

/// One member of a gzip file.
private func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
        &stream, 6, Z_DEFLATED, 31, 8, 0, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    var output = [UInt8](repeating: 0, count: bytes.count + 200)
    var input = bytes
    let count = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            deflate(&stream, Z_FINISH)
            return output.count - Int(stream.avail_out)
        }
    }
    deflateEnd(&stream)
    return Array(output[..<count])
}

@Suite struct LineReaderTests {
    private func lines(_ text: [UInt8], from start: Int, to end: Int, piece: Int) throws -> [String]
    {
        var reader = try LineReader(
            Pieces(text.dropFirst(max(start - 1, 0)), size: piece), start: start, end: end,
            readSize: piece)
        let lines = RowBuffer<String>()
        while try reader.next(3, into: lines) {}
        return lines.takeArray()
    }

    /// By the definition: a line ends at LF, CRLF or CR.
    private func oracle(_ text: [UInt8]) -> [String] {
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == 0x0D, index < text.count, text[index] == 0x0A { index += 1 }
            if byte == 0x0A || byte == 0x0D {
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        if lines.last == [] { lines.removeLast() }
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func anyCutOfAnyTextGivesTheSameLines() throws {
        var random = SplitMix64(seed: 99)
        for round in 0..<400 {
            let count = Int(random.next() % 60)
            let alphabet: [UInt8] = [0x0A, 0x0D, 0x61, 0x62, 0xC3, 0xA9]
            let text = (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            let expected = oracle(text)
            for _ in 0..<8 {
                var cuts = (0..<Int(random.next() % 5)).map { _ in
                    Int(random.next() % UInt64(count + 1))
                }
                cuts = ([0, count] + cuts).sorted()
                let piece = Int(random.next() % 9) + 1
                var found: [String] = []
                for (start, end) in zip(cuts, cuts.dropFirst()) where start < end {
                    found += try lines(text, from: start, to: end, piece: piece)
                }
                #expect(
                    found == expected, "round \(round): \(text) cut at \(cuts), pieces of \(piece)")
            }
        }
    }

    @Test func aLineLongerThanAnyBufferIsOneLine() throws {
        let text =
            Array("short\n".utf8) + Array(repeating: 0x78, count: 3_000_000) + Array("\nend".utf8)
        let found = try lines(text, from: 0, to: text.count, piece: 256 << 10)
        #expect(found.map(\.utf8.count) == [5, 3_000_000, 3])
    }

    @Test(arguments: [1, 7, 100, 1 << 20])
    func gzipMembersFollowEachOther(piece: Int) throws {
        let parts = ["one\ntwo\n", "", "three\n", String(repeating: "x", count: 100_000) + "\n"]
        var file: [UInt8] = []
        for part in parts { file += gzip(Array(part.utf8)) }
        file += [0, 0, 0]
        var reader = try LineReader(
            GzipBytes(Pieces(file, size: piece), path: "x.gz"), start: 0, end: Int.max)
        let found = RowBuffer<String>()
        while try reader.next(1000, into: found) {}
        #expect(found.map(\.utf8.count) == [3, 3, 5, 100_000])
    }

    @Test func aDamagedGzipFileIsNamed() throws {
        let whole = gzip(Array("some text that is long enough".utf8))
        var flipped = whole
        flipped[whole.count - 6] ^= 0xFF
        for bytes in [Array(whole.dropLast(5)), flipped, whole + [1, 2, 3], [0x50, 0x4B], []] {
            let source = try GzipBytes(Pieces(bytes, size: 10), path: "bad.gz")
            let error = #expect(throws: MillraceError.self) {
                var buffer = [UInt8](repeating: 0, count: 100)
                while try buffer.withUnsafeMutableBytes({ try source.read(into: $0) }) > 0 {}
            }
            #expect(error?.code == .corruptData && error?.message.contains("bad.gz") == true)
        }
    }
}
