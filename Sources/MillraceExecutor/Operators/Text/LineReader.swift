import Glibc
import MillraceStore
import MillraceWire

/// Where a `LineReader` gets its bytes.
protocol ByteSource: AnyObject {
    /// Puts the next bytes into `buffer` and says how many, at least one; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// Cuts bytes into lines ended by LF, CRLF or CR (Hadoop's LineReader knows the same three), for
/// the lines that *start* within a split: a split that doesn't begin at 0 starts reading one byte
/// early, skips to the first start of a line at or behind its begin, and reads beyond its end to
/// finish its last line. So any cut of a file gives the same lines.
struct LineReader {
    private let source: any ByteSource
    /// Bytes of the file from `bufferOffset` on; those from `filled` on mean nothing.
    private var buffer: [UInt8]
    private var filled = 0
    /// Of the next line in `buffer`.
    private var position = 0
    /// Of `buffer[0]` in the file.
    private var bufferOffset: Int
    private let end: Int
    private var isSourceAtEnd = false
    /// Whether `buffer` has a CR, so that a search for LF alone isn't enough.
    private var hasReturn = false
    /// Bytes of one read: large enough that the call doesn't matter, small enough for the L2 cache.
    static let readSize = 256 << 10

    /// `source` begins at `start - 1`, or at 0 when `start` is 0. `end` is where the next split
    /// begins.
    init(
        _ source: any ByteSource, start: Int, end: Int, readSize: Int = LineReader.readSize
    ) throws {
        self.source = source
        buffer = [UInt8](repeating: 0, count: readSize)
        self.end = end
        bufferOffset = max(start - 1, 0)
        if start > 0 { _ = try nextLine() }
    }

    /// Appends up to `limit` lines; false when there is none left. Bytes that are not UTF-8 become
    /// U+FFFD.
    mutating func next(_ limit: Int, into lines: RowBuffer<String>) throws -> Bool {
        var added = 0
        while added < limit, bufferOffset + position < end, let line = try nextLine() {
            buffer.withUnsafeBufferPointer { bytes in
                lines.append(
                    String(decoding: UnsafeBufferPointer(rebasing: bytes[line]), as: UTF8.self))
            }
            added += 1
        }
        return added > 0
    }

    /// The bytes of the next line, which stay in `buffer` until the next call; nil at the end of
    /// the file.
    private mutating func nextLine() throws -> Range<Int>? {
        var searched = position
        while true {
            if let found = terminator(from: searched) {
                let line = position..<found.lowerBound
                position = found.upperBound
                return line
            }
            if isSourceAtEnd {
                guard position < filled else { return nil }
                // A CR as the last byte of the file; elsewhere it waits for what follows.
                let line = position..<(buffer[filled - 1] == 0x0D ? filled - 1 : filled)
                position = filled
                return line
            }
            // A CR at the end of the buffer has to be looked at again.
            searched = max(filled - 1, position)
            searched -= try refill()
        }
    }

    /// The first line end at or behind `from`, or nil when none is (completely) in the buffer.
    private func terminator(from: Int) -> Range<Int>? {
        buffer.withUnsafeBytes { bytes -> Range<Int>? in
            guard let base = bytes.baseAddress, from < filled else { return nil }
            let feed = memchr(base + from, 0x0A, filled - from).map {
                UnsafeRawPointer($0) - base
            }
            if hasReturn {
                let limit = feed ?? filled
                if let at = memchr(base + from, 0x0D, limit - from) {
                    let index = UnsafeRawPointer(at) - base
                    if index + 1 == filled { return nil }
                    return index..<(bytes[index + 1] == 0x0A ? index + 2 : index + 1)
                }
            }
            return feed.map { $0..<($0 + 1) }
        }
    }

    /// Drops what is consumed and adds more bytes; says how many it dropped.
    private mutating func refill() throws -> Int {
        let dropped = position
        let kept = filled - dropped
        if kept > buffer.count / 2 {
            buffer.append(contentsOf: repeatElement(0, count: buffer.count))
        }
        let got = try buffer.withUnsafeMutableBytes { bytes in
            let base = bytes.baseAddress!  // never empty
            if dropped > 0, kept > 0 { memmove(base, base + dropped, kept) }
            return try source.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[kept...]))
        }
        isSourceAtEnd = got == 0
        bufferOffset += dropped
        position = 0
        filled = kept + got
        hasReturn = buffer.withUnsafeBytes { memchr($0.baseAddress!, 0x0D, filled) != nil }
        return dropped
    }
}

/// A file's bytes from an offset.
final class FileBytes: ByteSource {
    private let file: any ReadableFile
    private var offset: Int

    init(_ file: any ReadableFile, offset: Int) {
        self.file = file
        self.offset = offset
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try file.read(at: offset, into: buffer)
        offset += count
        return count
    }
}
