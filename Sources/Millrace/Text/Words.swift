import MillraceBase
import MillraceExecutor
import MillraceWire

extension String {
    /// The words of this text: what ASCII white space separates, without empty ones.
    ///
    /// Lazy, and much faster than `split(separator: " ")`: it looks at bytes instead of characters,
    /// makes no array, and a word of up to 15 bytes takes no memory of its own.
    @inlinable public func words() -> Words { Words(self) }
}

/// The words of a text, one after the other.
public struct Words: Sequence, Sendable {
    @usableFromInline let text: String

    @inlinable init(_ text: String) { self.text = text }

    @inlinable public func makeIterator() -> Iterator { Iterator(text) }

    public struct Iterator: ChunkIterator, Sendable {
        @usableFromInline var text: String
        @usableFromInline var position = 0
        @usableFromInline let makesInlineStrings = InlineString.isKnown

        @inlinable init(_ text: String) { self.text = text }

        @inlinable public mutating func next() -> String? {
            let one = RowBuffer<String>(capacity: 1)
            append(to: one, upTo: 1)
            return one.first
        }

        @inlinable public mutating func append(to chunk: RowBuffer<String>, upTo limit: Int) {
            let start = position
            let makesInlineStrings = makesInlineStrings
            position = text.withUTF8 { utf8 in
                var scanner = WordScanner(utf8, from: start)
                while chunk.count < limit, let word = scanner.next() {
                    let inline = makesInlineStrings ? scanner.inline(word) : nil
                    chunk.append(
                        inline?.string
                            ?? String(
                                decoding: UnsafeBufferPointer(rebasing: utf8[word]), as: UTF8.self))
                }
                return scanner.position
            }
        }
    }
}

/// Finds words in UTF-8, eight bytes at a time.
@usableFromInline struct WordScanner {
    @usableFromInline let bytes: UnsafeRawPointer
    @usableFromInline let end: Int
    /// Where the next word is looked for.
    @usableFromInline var position: Int

    @inlinable @inline(__always)
    init(_ utf8: UnsafeBufferPointer<UInt8>, from position: Int) {
        bytes = utf8.baseAddress.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(bitPattern: 16)!
        end = utf8.count
        self.position = position
    }

    @inlinable @inline(__always)
    mutating func next() -> Range<Int>? {
        var start = position
        while start < end, isSpace(start) { start &+= 1 }
        if start >= end {
            position = end
            return nil
        }
        var stop = start &+ 1
        while true {
            stop = firstLow(from: stop)
            if stop >= end || isSpace(stop) { break }
            stop &+= 1
        }
        position = stop
        return Range(uncheckedBounds: (start, stop))
    }

    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    @inlinable @inline(__always)
    func isSpace(_ index: Int) -> Bool {
        let byte = bytes.load(fromByteOffset: index, as: UInt8.self)
        return byte == 0x20 || byte &- 0x09 < 5
    }

    /// The first byte up to 0x20 at or behind `from`, or the end.
    @inlinable @inline(__always)
    func firstLow(from: Int) -> Int {
        var index = from
        while index &+ 8 <= end {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // The highest bit of each byte that is at least 0x21: no sum carries into the next.
            let high = 0x8080_8080_8080_8080 as UInt64
            let above = ((word & ~high) &+ 0x5F5F_5F5F_5F5F_5F5F) | word
            let low = ~above & high
            if low != 0 { return index &+ low.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < end, bytes.load(fromByteOffset: index, as: UInt8.self) > 0x20 { index &+= 1 }
        return index
    }

    /// A word as an inline string; nil when it is longer, not ASCII, or the text has less than 16
    /// bytes.
    @inlinable @inline(__always)
    func inline(_ word: Range<Int>) -> InlineString? {
        let count = word.upperBound &- word.lowerBound
        guard count <= 15, end >= 16 else { return nil }
        var (low, high) = sixteenBytes(from: word.lowerBound)
        if count <= 8 {
            low &= UInt64.max &>> UInt64(truncatingIfNeeded: 8 &* (8 &- count))
            high = 0
        } else {
            high &= UInt64.max &>> UInt64(truncatingIfNeeded: 8 &* (16 &- count))
        }
        guard (low | high) & 0x8080_8080_8080_8080 == 0 else { return nil }
        return InlineString(low: low, high: high, count: count)
    }

    /// The bytes from `start`, the first one lowest; zeros for those behind the end.
    @inlinable @inline(__always)
    func sixteenBytes(from start: Int) -> (low: UInt64, high: UInt64) {
        let first = min(start, end &- 16)
        let low = bytes.loadUnaligned(fromByteOffset: first, as: UInt64.self)
        let high = bytes.loadUnaligned(fromByteOffset: first &+ 8, as: UInt64.self)
        let shift = UInt64(truncatingIfNeeded: 8 &* (start &- first))
        if shift == 0 { return (UInt64(littleEndian: low), UInt64(littleEndian: high)) }
        if shift >= 64 { return (UInt64(littleEndian: high) &>> (shift &- 64), 0) }
        return (
            UInt64(littleEndian: low) &>> shift | UInt64(littleEndian: high) &<< (64 &- shift),
            UInt64(littleEndian: high) &>> shift
        )
    }
}
