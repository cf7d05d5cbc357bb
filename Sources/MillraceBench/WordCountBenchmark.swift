import Millrace
import MillraceBase

/// Megabytes of text a second whose words are counted. Same work and keys as the peers'
/// `wordcount`; without a file of theirs it makes a text like theirs.
struct WordCountBenchmark: Encodable {
    var api = "rdd"
    var mb: Double
    var parts: Int
    var s: Repetitions
    var mb_per_s: Double
    var distinct: Int
    var words: Int
    var floor: Floor

    static func run(_ context: MillraceContext, _ options: Options) async throws
        -> WordCountBenchmark
    {
        try options.expectOnly("path", "mb", "parts", "reps", "floor")
        let text = try BenchmarkText(
            path: options.values["path"], megabytes: try options.int("mb", 500))
        let parts = try options.int("parts", 2)
        var total = (distinct: 0, words: 0)
        var times: [Double] = []
        for _ in 0..<(try options.int("reps", 4)) {
            times.append(
                try await seconds { total = try await count(context, text.path, parts) })
        }
        let megabytes = Double(text.bytes) / 1e6
        let repetitions = Repetitions(times)
        let rate = megabytes / repetitions.median
        return WordCountBenchmark(
            mb: megabytes, parts: parts, s: repetitions, mb_per_s: rate, distinct: total.distinct,
            words: total.words,
            floor: try options.flag("floor", true)
                ? Floor.words(text.path, megabytes: megabytes, ours: rate, expected: total)
                : Floor())
    }

    private static func count(
        _ context: MillraceContext, _ path: String, _ parts: Int
    ) async throws -> (distinct: Int, words: Int) {
        let counts = try context.textFile(path)
            .flatMap { $0.words() }
            .map { ($0, 1) }
            .reduceByKey(numPartitions: parts, +)
        return try await counts.map { (1, $0.1) }.reduce { ($0.0 + $1.0, $0.1 + $1.1) }
    }
}
