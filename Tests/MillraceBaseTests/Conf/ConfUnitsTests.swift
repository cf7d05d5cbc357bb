import MillraceBase
import Testing

@Suite struct ConfUnitsTests {
    @Test(arguments: [
        ("10s", Duration.seconds(10)), ("200ms", .milliseconds(200)), ("1min", .seconds(60)),
        ("2m", .seconds(120)), ("3h", .seconds(10_800)), ("1d", .seconds(86_400)),
        ("7us", .microseconds(7)), ("250", .milliseconds(250)), ("0", .zero), ("5 S", .seconds(5)),
    ])
    func readsTimesAsSparkWritesThem(text: String, duration: Duration) {
        #expect(Duration(conf: text) == duration)
        #expect(Duration(conf: duration.confText) == duration)
    }

    @Test(arguments: ["", "s", "-1s", "1.5s", "10 fortnights", "99999999999d", "１s", "+3s"])
    func refusesWhatIsNoTime(text: String) {
        #expect(Duration(conf: text) == nil)
    }

    @Test(arguments: [
        ("1g", ByteCount.gibibytes(1)), ("512m", .mebibytes(512)), ("64k", .kibibytes(64)),
        ("64kb", .kibibytes(64)), ("10", ByteCount(10)), ("10b", ByteCount(10)), ("0", .zero),
        ("2T", ByteCount(2 << 40)), ("48MiB", .mebibytes(48)),
    ])
    func readsSizesAsSparkWritesThem(text: String, size: ByteCount) {
        #expect(ByteCount(conf: text) == size)
        #expect(ByteCount(conf: size.confText) == size)
    }

    @Test(arguments: ["", "m", "-1m", "1.5g", "1x", "8388608t", "99999999999999999999"])
    func refusesWhatIsNoSize(text: String) {
        #expect(ByteCount(conf: text) == nil)
    }

    @Test func listsAreSeparatedByCommas() {
        #expect([String](conf: " a, b,,c ") == ["a", "b", "c"])
        #expect([Int](conf: "1,2") == [1, 2])
        #expect([Int](conf: "1,x") == nil)
        #expect([String](conf: "") == [])
    }
}
