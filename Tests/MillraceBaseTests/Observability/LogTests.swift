import MillraceBase
import Synchronization
import Testing

/// The log is one per process, so these run one after the other.
@Suite(.serialized) struct LogTests {
    /// The lines, without their 25 columns of time, that the body logs.
    private func lines(
        _ level: LogLevel, _ format: LogFormat = .text, _ body: () -> Void
    ) -> [String] {
        let collected = Collector()
        Log.setSink { collected.append($0) }
        Log.configure(level: level, format: format)
        body()
        Log.configure(level: .warn)
        Log.setSink(nil)
        return collected.lines
    }

    @Test func writesOneLineAnEventFromItsLevelOn() {
        let found = lines(.info) {
            Log.debug("test", "not shown")
            Log.info("test", "executor registered", ["executor": 3, "host": "a b", "empty": ""])
            Log.error("test", "two\nlines", ["why": "\u{1B}[31m\"red\""])
        }
        #expect(found.count == 2)
        #expect(
            found[0].dropFirst(25)
                == "INFO  test: executor registered executor=3 host=\"a b\" empty=\"\"\n")
        #expect(
            found[1].dropFirst(25)
                == "ERROR test: two\\nlines why=\"\\u001b[31m\\\"red\\\"\"\n")
        #expect(ISO8601.milliseconds(String(found[0].prefix(24))) != nil)
    }

    @Test func writesJSON() {
        let found = lines(.info, .json) { Log.warn("test", "say \"hi\"", ["n": 1]) }
        #expect(found.count == 1)
        let tail =
            #""level":"warn","component":"test","message":"say \"hi\"","n":"1"}"# + "\n"
        #expect(found[0].hasPrefix("{\"ts\":\"20"))
        #expect(found[0].hasSuffix(tail))
    }

    @Test func whatIsNotWrittenIsNotEvaluated() {
        let found = lines(.off) {
            Log.error(
                "test",
                { () -> String in
                    Issue.record()
                    return ""
                }())
        }
        #expect(found.isEmpty)
    }

    @Test(arguments: [LogFormat.text, .json])
    func aLineHasALimit(format: LogFormat) {
        let long = String(repeating: "ä", count: 100_000)
        let found = lines(.warn, format) {
            Log.warn("test", long, ["after": 1])
            Log.warn("test", "short", ["long": long, "after": 1])
        }
        #expect(found.count == 2)
        for line in found {
            #expect(line.utf8.count <= 32 * 1024)
            #expect(line.hasSuffix("\n"))
            #expect(!line.contains("\u{FFFD}"))
        }
    }

    @Test func levelsHaveLog4jsNames() {
        #expect(LogLevel(name: "TRACE") == .debug)
        #expect(LogLevel(name: "Fatal") == .error)
        #expect(LogLevel(name: "loud") == nil)
    }
}

private final class Collector: Sendable {
    private let all = Mutex<[String]>([])
    func append(_ line: [UInt8]) {
        all.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
    var lines: [String] { all.withLock { $0.filter { $0.contains("test") } } }
}
