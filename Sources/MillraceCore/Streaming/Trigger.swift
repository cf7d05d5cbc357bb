import MillraceBase

/// When a streaming query looks for new data. Spark's `Trigger`.
public struct Trigger: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// At each multiple of the interval since 1970; zero: as soon as the batch before has
        /// ended.
        case processingTime(Duration)
        /// All data that is there when the query starts, in as many batches as the sources' limits
        /// ask for, then the end.
        case availableNow
        /// One batch, then the end.
        case once
        /// An interval that could not be read. `start` throws.
        case unreadable(String)
    }

    public let kind: Kind
    public init(_ kind: Kind) { self.kind = kind }

    /// A batch at each multiple of `interval`; one that is late starts at once. Zero, the default
    /// of a query: as fast as possible.
    public static func processingTime(_ interval: Duration) -> Trigger {
        Trigger(.processingTime(interval))
    }

    /// The same with the interval in Spark's words: "10 seconds", "1 minute 30 seconds". One that
    /// cannot be read shows when the query is started.
    public static func processingTime(_ interval: String) -> Trigger {
        guard let duration = IntervalText.duration(interval) else {
            return Trigger(.unreadable(interval))
        }
        return processingTime(duration)
    }

    public static var availableNow: Trigger { Trigger(.availableNow) }
    public static var once: Trigger { Trigger(.once) }

    public var description: String {
        switch kind {
        case .processingTime(let interval):
            "ProcessingTimeTrigger(\(interval.nanoseconds / 1_000_000))"
        case .availableNow: "AvailableNowTrigger"
        case .once: "OneTimeTrigger"
        case .unreadable(let text): "an interval of \"\(text)\""
        }
    }

    /// Why a query cannot be started with it; nil when it can.
    public var problem: MillraceError? {
        switch kind {
        case .unreadable(let text):
            MillraceError(
                .invalidArgument,
                "the trigger's interval \"\(text)\" cannot be read; write for instance \"10 "
                    + "seconds\""
            )
        case .processingTime(let interval) where interval < .zero:
            MillraceError(.invalidArgument, "the trigger's interval is negative: \(interval)")
        default: nil
        }
    }
}

/// Intervals as Spark's users write them: `10 seconds`, `interval 1 minute 500 milliseconds`, `5s`.
public enum IntervalText {
    /// Nil for anything else, also for months and years, whose length varies.
    public static func duration(_ text: String) -> Duration? {
        var words: [Substring] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let digits = word.prefix { $0.isNumber || $0 == "-" || $0 == "." }
            if !digits.isEmpty { words.append(digits) }
            if digits.count < word.count { words.append(word.dropFirst(digits.count)) }
        }
        if words.first?.lowercased() == "interval" { words.removeFirst() }
        guard !words.isEmpty, words.count.isMultiple(of: 2) else { return nil }
        var total = Duration.zero
        for index in stride(from: 0, to: words.count, by: 2) {
            guard let count = Double(words[index]), count.isFinite, count.magnitude < 1e9,
                let unit = nanoseconds(of: words[index + 1].lowercased())
            else { return nil }
            total += .nanoseconds(Int64((count * unit).rounded()))
        }
        return total
    }

    private static func nanoseconds(of unit: String) -> Double? {
        switch unit {
        case "microsecond", "microseconds", "us": 1e3
        case "millisecond", "milliseconds", "ms": 1e6
        case "second", "seconds", "s", "sec", "secs": 1e9
        case "minute", "minutes", "m", "min", "mins": 60e9
        case "hour", "hours", "h": 3600e9
        case "day", "days", "d": 86_400e9
        case "week", "weeks": 604_800e9
        default: nil
        }
    }
}
