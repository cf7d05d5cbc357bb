/// Strings of up to 15 bytes of ASCII as two words, without a call into the standard library.
///
/// Swift keeps such a string in the value itself: its bytes from the lowest up, zeros, and in the
/// highest byte 0xE0 | count. That is no promise, so `isKnown` compares it with what this process's
/// standard library does; who uses `init` or `words` asks it once and has another way.
public struct InlineString: Sendable {
    /// Bytes 0 to 7, the first one lowest; zeros behind the last.
    public var low: UInt64
    /// Bytes 8 to 14, and zero.
    public var high: UInt64
    public var count: Int

    /// Whether strings lie as described above.
    public static let isKnown: Bool = {
        guard MemoryLayout<String>.size == 16, UInt16(1).littleEndian == 1 else { return false }
        let samples = ["", "a", "12345678", "123456789", "abcdefghijklmno"]
        let areRead = samples.allSatisfy { sample in
            guard let inline = InlineString(sample) else { return false }
            return inline.count == sample.utf8.count && inline.string == sample
                && inline.bytes == Array(sample.utf8)
        }
        // Longer ones, and ones that are not ASCII, are told apart.
        let others = ["abcdefghijklmnop", "é", String(repeating: "x", count: 100)]
        return areRead && others.allSatisfy { InlineString($0) == nil }
    }()

    /// Nil for a string that is longer, not ASCII, or has taken memory of its own. Only where
    /// `isKnown`.
    @inlinable @inline(__always)
    public init?(_ string: String) {
        let words = unsafeBitCast(string, to: (UInt64, UInt64).self)
        guard words.1 >> 60 == 0xE else { return nil }
        low = words.0
        high = words.1 & 0x00FF_FFFF_FFFF_FFFF
        count = Int(truncatingIfNeeded: words.1 >> 56) & 0xF
    }

    /// Of `count` up to 15 bytes, all ASCII, with zeros behind them.
    @inlinable @inline(__always)
    public init(low: UInt64, high: UInt64, count: Int) {
        self.low = low
        self.high = high
        self.count = count
    }

    /// Only where `isKnown`.
    @inlinable @inline(__always)
    public var string: String {
        let top = (0xE0 | UInt64(truncatingIfNeeded: count)) << 56
        return unsafeBitCast((low, high | top), to: String.self)
    }

    private var bytes: [UInt8] {
        (0..<count).map { index in
            UInt8(truncatingIfNeeded: (index < 8 ? low : high) >> UInt64(8 * (index % 8)))
        }
    }
}
