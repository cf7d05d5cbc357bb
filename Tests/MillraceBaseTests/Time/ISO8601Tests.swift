import MillraceBase
import Testing

@Suite struct ISO8601Tests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_257_468_123, "2026-11-21T10:37:48.123Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func writesAndReadsTimes(milliseconds: Int64, text: String) {
        #expect(ISO8601.text(milliseconds: milliseconds) == text)
        #expect(ISO8601.milliseconds(text) == milliseconds)
    }

    @Test func everyDayOfFourHundredYearsComesBack() {
        for day in 0..<146_097 {
            let milliseconds = Int64(day) * 86_400_000 - 5_000_000_000_000
            #expect(ISO8601.milliseconds(ISO8601.text(milliseconds: milliseconds)) == milliseconds)
        }
    }

    @Test func clampsYearsOfMoreDigits() {
        #expect(ISO8601.text(milliseconds: .max) == "9999-12-31T23:59:59.999Z")
        #expect(ISO8601.text(milliseconds: .min) == "0000-01-01T00:00:00.000Z")
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T10:37:48", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T10:37:48.Z", "2026-11-21T10:37:48.1x3Z",
    ])
    func refusesWhatIsNoTime(text: String) {
        #expect(ISO8601.milliseconds(text) == nil)
    }

    @Test func readsFractionsOfAnyLength() {
        #expect(ISO8601.milliseconds("1970-01-01T00:00:01Z") == 1_000)
        #expect(ISO8601.milliseconds("1970-01-01T00:00:01.5Z") == 1_500)
        #expect(ISO8601.milliseconds("1970-01-01T00:00:01.123456789Z") == 1_123)
    }
}
