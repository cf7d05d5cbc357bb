/// Wall-clock times as people and Spark's progress JSON write them: `2026-11-21T10:37:48.123Z`.
///
/// Pure arithmetic on the proleptic Gregorian calendar, UTC only; who reads the clock is not
/// this file's business.
public enum ISO8601 {
    /// `2026-11-21T10:37:48.123Z` for milliseconds since 1970-01-01T00:00:00Z. Years outside
    /// 0...9999 are clamped to that range, so the width never changes.
    public static func text(milliseconds: Int64) -> String {
        let lowest: Int64 = -62_167_219_200_000  // 0000-01-01T00:00:00.000Z
        let highest: Int64 = 253_402_300_799_999  // 9999-12-31T23:59:59.999Z
        let clamped = min(max(milliseconds, lowest), highest)
        let days = floorDivide(clamped, 86_400_000)
        let inDay = clamped - days * 86_400_000
        let (year, month, day) = civil(days: days)
        var out: [UInt8] = []
        out.reserveCapacity(24)
        append(year, 4, &out)
        out.append(UInt8(ascii: "-"))
        append(month, 2, &out)
        out.append(UInt8(ascii: "-"))
        append(day, 2, &out)
        out.append(UInt8(ascii: "T"))
        append(inDay / 3_600_000, 2, &out)
        out.append(UInt8(ascii: ":"))
        append(inDay / 60_000 % 60, 2, &out)
        out.append(UInt8(ascii: ":"))
        append(inDay / 1_000 % 60, 2, &out)
        out.append(UInt8(ascii: "."))
        append(inDay % 1_000, 3, &out)
        out.append(UInt8(ascii: "Z"))
        return String(decoding: out, as: UTF8.self)
    }

    /// Milliseconds since 1970 of what `text(milliseconds:)` writes, with or without the
    /// fraction; nil for anything else, also for a 30th of February.
    public static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 || (bytes.count >= 22 && bytes.count <= 30), bytes.last == 0x5A,
            bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54, bytes[13] == 0x3A,
            bytes[16] == 0x3A, bytes.count == 20 || bytes[19] == 0x2E,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), let hour = number(bytes[11..<13]),
            let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            let digits = bytes[20..<(bytes.count - 1)]
            guard let value = number(digits) else { return nil }
            var scaled = value
            for _ in 0..<max(0, 3 - digits.count) { scaled *= 10 }
            for _ in 0..<max(0, digits.count - 3) { scaled /= 10 }
            fraction = scaled
        }
        let days = self.days(year: year, month: month, day: day)
        guard civil(days: days) == (year, month, day) else { return nil }
        return days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1_000 + fraction
    }

    /// Howard Hinnant's `civil_from_days`: eras of 400 years starting in March, so that the leap
    /// day is the last of its year.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        value >= 0 ? value / by : -((-value + by - 1) / by)
    }

    private static func append(_ value: Int64, _ width: Int, _ out: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }
}
