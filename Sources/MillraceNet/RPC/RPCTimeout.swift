/// The `grpc-timeout` header: at most eight digits and a unit.
enum RPCTimeout {
    private static let units: [(name: UInt8, nanoseconds: Int64)] = [
        (UInt8(ascii: "n"), 1), (UInt8(ascii: "u"), 1_000), (UInt8(ascii: "m"), 1_000_000),
        (UInt8(ascii: "S"), 1_000_000_000), (UInt8(ascii: "M"), 60_000_000_000),
        (UInt8(ascii: "H"), 3_600_000_000_000),
    ]

    /// nil when it is not what gRPC's document says.
    static func parse(_ text: [UInt8]) -> Duration? {
        guard (2...9).contains(text.count), let last = text.last,
            let unit = units.first(where: { $0.name == last })
        else { return nil }
        var value: Int64 = 0
        for digit in text.dropLast() {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        // 99999999 hours are more nanoseconds than 64 bits hold.
        let (product, overflow) = value.multipliedReportingOverflow(by: unit.nanoseconds)
        return overflow ? .seconds(value) * 3_600 : .nanoseconds(product)
    }

    /// In the finest unit that needs at most eight digits, rounded up: the server gives up last.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return "0n" }
        let total =
            seconds > 9_000_000_000
            ? Int64.max : seconds * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000
        for unit in units {
            let count = total / unit.nanoseconds + (total % unit.nanoseconds == 0 ? 0 : 1)
            if count < 100_000_000 { return "\(count)\(Character(UnicodeScalar(unit.name)))" }
        }
        return "99999999H"
    }
}
