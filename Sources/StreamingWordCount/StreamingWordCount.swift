import Glibc
import Millrace
import MillraceBase

/// Counts the words of a Kafka topic, exactly once, until it is stopped. The demo's job, and an
/// example to start from.
///
///     millrace submit --master 'local-cluster[2,1,1024]' StreamingWordCount \
///         --brokers HOST:PORT --topic lines --checkpoint FOLDER --output FOLDER
///
/// Writes each batch's changed counts as JSON lines into a file of the output folder that is named
/// by the batch: a batch that comes again after a failure replaces its own file, so every count is
/// published exactly once. Prints one line of JSON with the process ids when it has started and one
/// with the query's progress after each batch.
@main struct StreamingWordCount: MillraceApp {
    struct WordCount: Codable, Sendable {
        var word: String
        var count: Int
    }

    static func run(_ session: MillraceSession, _ arguments: [String]) async throws {
        let options = try Options(arguments)
        session.streams.addListener(ProgressPrinter())
        try Publisher.makeFolder(options.output)
        let output = options.output
        let query = try await session.readStream
            .option("startingOffsets", "earliest")
            .kafka(options.brokers, subscribe: options.topic)
            .flatMap { record in
                record.value.split(separator: UInt8(ascii: " ")).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
            .groupByKey { $0 }.count()
            .map { WordCount(word: $0.0, count: $0.1) }
            .writeStream.queryName("word-count").outputMode(.update)
            .trigger(.processingTime(.milliseconds(options.triggerMilliseconds)))
            .checkpointLocation(options.checkpoint)
            .foreachBatch { batch, number in
                try Publisher.publish(batch.rows, of: number, in: output)
            }
            .start()
        let executors = try await session.context.executors().map(\.processID)
        print("{\"driver\":\(getpid()),\"executors\":\(executors)}")
        fflush(nil)
        try await query.awaitTermination()
    }

    struct Options {
        var brokers = ""
        var topic = ""
        var checkpoint = ""
        var output = ""
        var triggerMilliseconds = 200

        init(_ arguments: [String]) throws {
            var rest = arguments[...]
            while let name = rest.popFirst() {
                guard let value = rest.popFirst() else {
                    throw MillraceError(.invalidArgument, "\(name) needs a value")
                }
                switch name {
                case "--brokers": brokers = value
                case "--topic": topic = value
                case "--checkpoint": checkpoint = value
                case "--output": output = value
                case "--trigger-ms":
                    guard let number = Int(value), number >= 0 else {
                        throw MillraceError(
                            .invalidArgument, "--trigger-ms \(value) is not a number from 0")
                    }
                    triggerMilliseconds = number
                default: throw MillraceError(.invalidArgument, "\(name) is not an option")
                }
            }
            guard ![brokers, topic, checkpoint, output].contains("") else {
                throw MillraceError(
                    .invalidArgument, "--brokers, --topic, --checkpoint and --output are needed")
            }
        }
    }
}

/// Files that are there whole or not at all.
enum Publisher {
    static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make", path) }
    }

    /// `<folder>/<batch>.json`: written beside, made durable, then renamed over what an earlier
    /// attempt left.
    static func publish(
        _ rows: [StreamingWordCount.WordCount], of batch: Int, in folder: String
    ) throws {
        let path = "\(folder)/\(batch).json"
        guard let file = fopen(path + ".tmp", "w") else { throw failure("write", path) }
        let lines = rows.map {
            JSONValue.object(["word": .string($0.word), "count": .integer(Int64($0.count))]).compact
                + "\n"
        }.joined()
        let isWritten =
            fputs(lines, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0
        guard fclose(file) == 0, isWritten, rename(path + ".tmp", path) == 0 else {
            throw failure("write", path)
        }
    }

    private static func failure(_ verb: String, _ path: String) -> MillraceError {
        MillraceError(.system, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}

/// One line of JSON after each batch, on standard output.
final class ProgressPrinter: StreamingQueryListener {
    func onQueryProgress(_ progress: StreamingQueryProgress) {
        print(progress.json)
        fflush(nil)
    }
}
