import Glibc
import MillraceBase
import MillraceDriver

/// One run: starts the parts, shows the table, kills at the given batches, compares at the end.
final class DemoRun {
    private static let executorDies = 10
    private static let brokerDies = 15
    private static let driverDies = 20
    /// A run that makes no progress for so long has failed.
    private static let patience = Duration.seconds(60)

    private let options: DemoOptions
    private let programs: Programs
    private let folder: String
    private let pipe: LinePipe
    private let brokers: Brokers
    private var driver: ChildProcess?
    private var driverPID = 0
    private var executorPIDs: [Int] = []
    private var killedExecutor = false
    private var killedBroker = false
    private var killedDriver = false
    private var batches = 0

    init(_ options: DemoOptions) throws {
        self.options = options
        programs = try Programs()
        var template = Array(
            "\(LaunchEnvironment.temporaryFolder)/millrace-demo-XXXXXX\0".utf8)
        let made = template.withUnsafeMutableBytes {
            mkdtemp($0.baseAddress!.assumingMemoryBound(to: CChar.self)) != nil
        }
        guard made else { throw MillraceError(.system, "cannot make a temporary folder") }
        folder = String(decoding: template.dropLast(), as: UTF8.self)
        pipe = try LinePipe(path: "\(folder)/driver")
        brokers = try Brokers(options, programs: programs, folder: folder)
    }

    /// Whether the counts are exact.
    func run() throws -> Bool {
        defer { cleanUp() }
        say("Kafka: \(brokers.kind) at \(brokers.bootstrap)")
        try brokers.make(topic)
        let producer = try programs.start(
            "millrace",
            [
                "kafka-produce", "--bootstrap", brokers.bootstrap, "--topic", topic, "--partitions",
                "4",
                "--lines", "\(options.lines)", "--rate", "\(options.rate)", "--quiet",
            ], output: "\(folder)/producer.log")
        say("producer: \(options.lines) lines of text, \(options.rate) a second")
        try startDriver()
        say(ProgressRow.header)
        try follow()
        driver?.signal(SIGTERM)
        if let driver, Programs.wait(for: driver, within: .seconds(20)) == nil {
            driver.signal(SIGKILL)
        }
        guard Programs.wait(for: producer, within: .seconds(5)) == .exited(0) else {
            throw MillraceError(.unavailable, "the producer failed; see \(folder)/producer.log")
        }
        return try compare()
    }

    /// A topic of its own, so that a running Kafka may be used again and again.
    private lazy var topic = brokers.kind.contains("mock") ? "lines" : "lines-\(getpid())"

    private func startDriver() throws {
        driver = try programs.start(
            "millrace",
            [
                "submit", "--master", options.master, "--name", "word-count",
                programs.path("StreamingWordCount"), "--brokers", brokers.bootstrap, "--topic",
                topic,
                "--checkpoint", "\(folder)/checkpoint", "--output", "\(folder)/counts",
            ], output: pipe.path)
    }

    /// Shows progress until every line is counted.
    private func follow() throws {
        var done = 0
        var deadline = ContinuousClock.now + Self.patience
        while done < options.lines {
            guard let line = pipe.next(before: deadline, from: driver?.pidfd ?? -1) else {
                try checkDriver()
                throw MillraceError(
                    .deadlineExceeded,
                    "no progress for \(Self.patience): \(done) of \(options.lines) lines")
            }
            guard line.hasPrefix("{"), let event = try? JSONValue(parsing: line) else {
                say("        | \(line)")
                continue
            }
            if let pid = event["driver"]?.integerValue {
                driverPID = Int(pid)
                executorPIDs =
                    event["executors"]?.arrayValue?.compactMap { $0.integerValue.map { Int($0) } }
                    ?? []
            } else if let row = ProgressRow(event) {
                say(row.text)
                batches += 1
                if row.linesDone > done { deadline = ContinuousClock.now + Self.patience }
                done = max(done, row.linesDone)
                if options.hasFaults { try inject(row.batch) }
            }
        }
        if options.hasFaults, !killedDriver {
            throw MillraceError(
                .unavailable,
                "all lines were counted before batch \(Self.driverDies); send more, or slower")
        }
    }

    private func inject(_ batch: Int) throws {
        if batch >= Self.executorDies, !killedExecutor, let victim = executorPIDs.first {
            killedExecutor = true
            say("        > batch \(batch): kill -9 of executor process \(victim)")
            kill(pid_t(victim), SIGKILL)
        }
        if options.killsBroker, batch >= Self.brokerDies, !killedBroker {
            killedBroker = true
            say("        > batch \(batch): kill -9 of the broker, and a new start on its data")
            try brokers.restart()
        }
        if batch >= Self.driverDies, !killedDriver, driverPID > 0 {
            killedDriver = true
            say("        > batch \(batch): kill -9 of the driver, process \(driverPID)")
            kill(pid_t(driverPID), SIGKILL)
            if let driver { _ = Programs.wait(for: driver, within: .seconds(10)) }
            say("        > the driver starts again from its checkpoint")
            try startDriver()
        }
    }

    /// A driver that ended by itself will not bring more lines.
    private func checkDriver() throws {
        if let driver, let ending = driver.reap() {
            throw MillraceError(.queryFailed, "the driver \(ending)")
        }
    }

    private func compare() throws -> Bool {
        let expected = try WordCounts(lines: options.lines)
        let published = try WordCounts(publishedIn: "\(folder)/counts")
        let victims = ["one executor"] + (killedBroker ? ["the broker"] : []) + ["the driver"]
        let faults =
            killedDriver ? "killed on the way: " + victims.joined(separator: ", ") : "no faults"
        say(
            "\(options.lines) lines, \(published.total) words, \(published.counts.count) distinct, "
                + "\(batches) batches shown, \(faults)")
        let differences = expected.differences(from: published)
        for difference in differences { say(difference) }
        say(differences.isEmpty ? "exact" : "different: \(expected.total) words expected")
        return differences.isEmpty
    }

    private func cleanUp() {
        driver?.signal(SIGKILL)
        brokers.stop()
        try? Programs.run("/bin/rm", ["-rf", folder], output: "/dev/null")
    }
}
