/// A small random generator with a seed, for samples: the same numbers for the same (seed, stream)
/// everywhere.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    /// Different streams (partitions) of one seed are independent of each other.
    @inlinable public init(seed: UInt64, stream: UInt64 = 0) {
        state = seed
        state = next() ^ (stream &* 0xD134_2543_DE82_EF95)
        state = next()
    }

    @inlinable public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// From 0 up to but without 1.
    @inlinable public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Poisson-distributed: Knuth's product of uniform numbers, in parts of mean 16 so that nothing
    /// underflows.
    @inlinable public mutating func nextPoisson(_ mean: Double) -> Int {
        var count = 0
        var left = mean
        while left > 0 {
            let part = min(left, 16)
            left -= part
            var product = nextUnit()
            let limit = SplitMix64.exponential(-part)
            while product > limit {
                count += 1
                product *= nextUnit()
            }
        }
        return count
    }

    /// e to a power from -16 to 0 by its series on a sixteenth part.
    @inlinable static func exponential(_ power: Double) -> Double {
        let part = power / 32
        var term = 1.0
        var sum = 1.0
        for index in 1...20 {
            term *= part / Double(index)
            sum += term
        }
        for _ in 0..<5 { sum *= sum }
        return sum
    }
}
