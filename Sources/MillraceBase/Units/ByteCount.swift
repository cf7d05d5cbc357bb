/// A number of bytes: a size, a limit, a budget. Never negative when it comes from a setting.
///
/// Written as Spark writes sizes: `64k`, `48m`, `1g`, powers of 1024.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var bytes: Int

    @inlinable public init(_ bytes: Int) { self.bytes = bytes }

    @inlinable public static var zero: ByteCount { ByteCount(0) }
    @inlinable public static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count << 10) }
    @inlinable public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count << 20) }
    @inlinable public static func gibibytes(_ count: Int) -> ByteCount { ByteCount(count << 30) }

    /// Whole mebibytes, rounded down: the unit of `local-cluster[executors,cores,memoryMiB]`.
    @inlinable public var mebibytes: Int { bytes >> 20 }

    @inlinable public static func < (left: ByteCount, right: ByteCount) -> Bool {
        left.bytes < right.bytes
    }

    /// Exact, in the largest unit that divides it: `48m`, `1536m`, `1000b`.
    public var description: String {
        guard bytes != 0 else { return "0" }
        for (shift, suffix) in [(50, "p"), (40, "t"), (30, "g"), (20, "m"), (10, "k")]
        where bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(suffix)"
        }
        return "\(bytes)b"
    }
}
