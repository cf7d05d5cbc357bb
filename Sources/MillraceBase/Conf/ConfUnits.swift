/// Times and sizes as Spark's settings write them: a whole number and a unit, no fraction.

extension Duration: ConfValue {
    /// `10s`, `200ms`, `1min`, … A bare number is milliseconds, unless its entry says otherwise.
    public init?(conf text: String) {
        guard let (number, unit) = splitUnit(text) else { return nil }
        let nanoseconds: Int64
        switch unit {
        case "ns": nanoseconds = 1
        case "us": nanoseconds = 1_000
        case "", "ms": nanoseconds = 1_000_000
        case "s": nanoseconds = 1_000_000_000
        case "m", "min": nanoseconds = 60_000_000_000
        case "h": nanoseconds = 3_600_000_000_000
        case "d": nanoseconds = 86_400_000_000_000
        default: return nil
        }
        let (product, overflow) = Int64(number).multipliedReportingOverflow(by: nanoseconds)
        guard !overflow else { return nil }
        self = .nanoseconds(product)
    }

    /// In the largest unit up to minutes that divides it.
    public var confText: String {
        let value = nanoseconds
        if value == 0 { return "0s" }
        let units: [(Int64, String)] = [
            (60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"),
        ]
        for (size, suffix) in units where value % size == 0 { return "\(value / size)\(suffix)" }
        return "\(value)ns"
    }

    public static var confKind: String { "a time such as 10s, 200ms or 1min" }
}

extension ByteCount: ConfValue {
    /// `64k`, `48m`, `1g`, … powers of 1024. A bare number is bytes, unless its entry says
    /// otherwise.
    public init?(conf text: String) {
        guard let (number, unit) = splitUnit(text) else { return nil }
        let shift: Int
        switch unit {
        case "", "b": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        case "t", "tb", "tib": shift = 40
        case "p", "pb", "pib": shift = 50
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.init(product)
    }

    public var confText: String { description }
    public static var confKind: String { "a size such as 64k, 48m or 1g" }
}

/// "200ms" → (200, "ms"); "200" → (200, ""). nil without digits or with more than an `Int` holds.
private func splitUnit(_ text: String) -> (Int, String)? {
    let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
    guard !digits.isEmpty, let number = Int(String(Substring(digits))) else { return nil }
    return (number, text.utf8.dropFirst(digits.count).lowercasedText().trimmingConfWhitespace())
}

extension Substring.UTF8View {
    fileprivate func lowercasedText() -> String { String(Substring(self)).lowercased() }
}
