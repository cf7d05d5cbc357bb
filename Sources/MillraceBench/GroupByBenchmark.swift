import Millrace
import MillraceBase

/// Rows a second that are counted and summed by a million keys. Same work and keys as the peers'
/// `groupby`.
struct GroupByBenchmark: Encodable {
    var rows: Int
    var keys: Int
    var parts: Int
    var s: Repetitions
    var mrows_per_s: Double
    var floor: Floor

    static func run(_ context: MillraceContext, _ options: Options) async throws
        -> GroupByBenchmark
    {
        try options.expectOnly("rows", "keys", "parts", "mparts", "reps", "floor")
        let rows = try options.int("rows", 100_000_000)
        let keys = try options.int("keys", 1_000_000)
        let parts = try options.int("parts", 8)
        let mapParts = try options.int("mparts", 8)
        var times: [Double] = []
        for _ in 0..<(try options.int("reps", 4)) {
            var total = (0, 0, 0)
            times.append(
                try await seconds {
                    let groups = count(context.range(0, rows, 1, mapParts), keys, parts)
                    total = try await groups.map { (1, $0.1.0, $0.1.1) }
                        .reduce { ($0.0 + $1.0, $0.1 + $1.1, $0.2 + $1.2) }
                })
            guard total == (min(keys, rows), rows, rows * (rows - 1) / 2) else {
                throw MillraceError(.jobAborted, "wrong counts and sums: \(total)")
            }
        }
        let repetitions = Repetitions(times)
        let rate = Double(rows) / 1e6 / repetitions.median
        return GroupByBenchmark(
            rows: rows, keys: keys, parts: parts, s: repetitions, mrows_per_s: rate,
            floor: try options.flag("floor", true)
                ? Floor.groups(rows: rows, keys: keys, ours: rate) : Floor())
    }

    /// How many rows have each key, and their sum.
    private static func count(_ rows: RDD<Int>, _ keys: Int, _ parts: Int) -> RDD<(Int, (Int, Int))>
    {
        rows.map { ($0 % keys, (1, $0)) }
            .reduceByKey(numPartitions: parts) { ($0.0 + $1.0, $0.1 + $1.1) }
    }
}
