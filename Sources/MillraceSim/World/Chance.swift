import MillraceBase

extension SplitMix64 {
    /// From 0 up to but without `bound`.
    @inline(__always) mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// True in so many of a thousand cases.
    mutating func chance(_ permille: Int) -> Bool { below(1_000) < permille }

    mutating func pick<Choices: RandomAccessCollection>(
        _ choices: Choices
    ) -> Choices.Element where Choices.Index == Int {
        choices[choices.startIndex + below(choices.count)]
    }

    /// Around `mean`, rarely up to ten times as much: as delays are.
    mutating func delay(_ mean: Duration) -> Duration {
        let nanoseconds = mean.nanoseconds
        let unit = Int64(below(1_000))
        let tail = chance(20) ? 10 : 1
        return .nanoseconds(nanoseconds * (200 + unit * 8 / 5) * Int64(tail) / 1_000)
    }
}
