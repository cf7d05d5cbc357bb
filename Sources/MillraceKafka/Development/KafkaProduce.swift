import Glibc
import MillraceBase

/// `millrace kafka-produce`: feeds numbered lines of real text to a topic, at a rate, exactly once
/// each.
public enum KafkaProduce {
    static let help = """
        usage: millrace kafka-produce --bootstrap HOST:PORT,... --topic NAME --lines N
               [--rate R] [--partitions P] [--from FIRST] [--directory DIR]
               [--conf NAME=VALUE]... [--timeout SECONDS] [--quiet]

        Sends N lines of text to a topic: the non-empty lines of DIR's files, over and over.
        Line n goes to partition n % P with n as its key. Each line arrives exactly once
        (idempotent producer, acks=all), through broker restarts.

          --rate R            lines a second (default: as fast as the brokers take them)
          --partitions P      make the topic with P partitions if it is missing; refuse it
                              when it has another number
          --from FIRST        number of the first line (default 0)
          --directory DIR     where the text is (default \(TextLines.defaultDirectory))
          --conf NAME=VALUE   a librdkafka property, such as security.protocol=ssl
          --timeout SECONDS   how long brokers may be away (default 300)
          --quiet             no progress on stderr

        The brokers of `millrace kafka-dev` keep 5 MiB a partition and drop what is older:
        let the reader keep up.
        Exit codes: 0 every line is acknowledged, 1 some are not, 2 bad arguments.

        """

    /// Returns the exit code: 0 when every line was acknowledged, 1 when not, 2 for bad arguments.
    public static func run(arguments: [String]) -> Int32 {
        if arguments.contains("--help") || arguments.contains("-h") {
            writeText(help, to: STDOUT_FILENO)
            return 0
        }
        let settings: Settings
        let lines: TextLines
        do throws(CommandArguments.Failure) {
            settings = try Settings(arguments)
            do throws(KafkaError) {
                lines = try TextLines(
                    directory: settings.directory, count: settings.lines, from: settings.first)
            } catch {
                throw CommandArguments.Failure(message: error.message)
            }
        } catch {
            writeText("millrace kafka-produce: \(error.message)\n", to: STDERR_FILENO)
            return 2
        }
        do throws(KafkaError) {
            try produce(lines, settings)
            return 0
        } catch {
            writeText("millrace kafka-produce: \(error)\n", to: STDERR_FILENO)
            return error.code == .invalidOption ? 2 : 1
        }
    }

    private static func produce(_ lines: TextLines, _ settings: Settings) throws(KafkaError) {
        let partitions = try settings.findTopic()
        let producer = try KafkaProducer(
            properties: settings.properties + [
                KafkaProperty("delivery.timeout.ms", String(settings.timeoutSeconds * 1000))
            ])
        let timeout = Duration.seconds(settings.timeoutSeconds)
        let start = Deadline.now
        var progress = Progress(start: start, total: lines.count, isQuiet: settings.isQuiet)
        var sent = 0
        for line in lines {
            while let pause = settings.pause(before: sent, since: start) {
                try producer.poll(timeout: pause)
                progress.show(producer.delivered)
            }
            try producer.send(
                topic: settings.topic, partition: line.partition(of: partitions), key: line.key,
                value: line.text, timeout: timeout)
            sent += 1
            if sent % 1024 == 0 { progress.show(producer.delivered) }
        }
        try producer.flush(timeout: timeout)
        progress.finish(producer.delivered)
        precondition(producer.delivered == lines.count, "a line is neither delivered nor failed")
    }

    /// A line a second on stderr.
    private struct Progress {
        let start: Instant
        let total: Int
        let isQuiet: Bool
        var last: Instant?

        mutating func show(_ delivered: Int) {
            let now = Deadline.now
            guard !isQuiet, now - (last ?? start) >= .seconds(1) else { return }
            last = now
            report(delivered, now)
        }
        func finish(_ delivered: Int) { if !isQuiet { report(delivered, Deadline.now) } }

        private func report(_ delivered: Int, _ now: Instant) {
            let seconds = max((now - start).milliseconds / 1000, 1e-9)
            writeText(
                "kafka-produce: \(delivered) of \(total) lines acknowledged, "
                    + "\(Int(Double(delivered) / seconds)) lines/s\n", to: STDERR_FILENO)
        }
    }
}

extension KafkaProduce {
    struct Settings {
        var topic: String
        var lines: Int
        var first: Int
        var rate: Int?
        var partitions: Int?
        var directory: String
        var properties: [KafkaProperty]
        var timeoutSeconds: Int
        var isQuiet: Bool

        init(_ arguments: [String]) throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(
                arguments,
                options: [
                    "--bootstrap", "--topic", "--lines", "--rate", "--partitions", "--from",
                    "--directory", "--conf", "--timeout",
                ], flags: ["--quiet"])
            topic = try parsed.required("--topic")
            let bootstrap = try parsed.required("--bootstrap")
            _ = try parsed.required("--lines")
            lines = try parsed.integer("--lines", in: 0...1_000_000_000_000) ?? 0
            first = try parsed.integer("--from", in: 0...1_000_000_000_000) ?? 0
            rate = try parsed.integer("--rate", in: 1...100_000_000)
            partitions = try parsed.integer("--partitions", in: 1...10_000)
            timeoutSeconds = try parsed.integer("--timeout", in: 1...86_400) ?? 300
            directory = parsed.value("--directory") ?? TextLines.defaultDirectory
            isQuiet = parsed.flags.contains("--quiet")
            properties = [KafkaProperty("bootstrap.servers", bootstrap)]
            for text in parsed.values["--conf"] ?? [] {
                let parts = text.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else {
                    throw CommandArguments.Failure(
                        message: "--conf is '\(text)'; it takes NAME=VALUE")
                }
                properties.append(KafkaProperty(String(parts[0]), String(parts[1])))
            }
        }

        /// How long line number `sent` (from 0) must still wait; nil when it is due.
        func pause(before sent: Int, since start: Instant) -> Duration? {
            guard let rate else { return nil }
            let due = start + .nanoseconds(Int64(Double(sent) / Double(rate) * 1e9))
            let left = due - Deadline.now
            return left > .zero ? left : nil
        }

        /// The number of the topic's partitions; makes the topic where `--partitions` says with how
        /// many.
        func findTopic() throws(KafkaError) -> Int {
            let deadline = Deadline(after: .seconds(min(timeoutSeconds, 60)))
            var admin = try KafkaAdmin(properties: properties)
            if let partitions, try wait(for: admin, deadline, mayBeMissing: true) == 0 {
                do throws(KafkaError) {
                    _ = try admin.createTopic(
                        topic, partitions: partitions, timeout: .seconds(5))
                } catch  where error.code == .timedOut || !error.isRetriable {
                    // The mock cluster has no such request: there the topic makes itself, below.
                }
            }
            admin = try KafkaAdmin(properties: properties, makesTopics: true)
            let found = try wait(for: admin, deadline, mayBeMissing: false)
            guard partitions == nil || partitions == found else {
                throw KafkaError(
                    .invalidOption,
                    "topic '\(topic)' has \(found) partitions, not \(partitions ?? found)")
            }
            return found
        }

        private func wait(
            for admin: KafkaAdmin, _ deadline: Deadline, mayBeMissing: Bool
        ) throws(KafkaError) -> Int {
            while true {
                do throws(KafkaError) {
                    let found = try admin.partitions(ofTopic: topic, timeout: deadline.remaining)
                    if found > 0 || mayBeMissing { return found }
                    guard !deadline.isPast else {
                        throw KafkaError(
                            .unknownTopic,
                            "topic '\(topic)' does not exist; --partitions P would make it")
                    }
                } catch  where error.isRetriable && !deadline.isPast {
                    // A broker that is away, or a topic without a leader yet: once more.
                }
                admin.pause(milliseconds: 100)
            }
        }
    }
}
