import Millrace
import MillraceBase

/// Megabytes a second of records of 10 + 90 bytes that are sorted by key into partitions. Same
/// work and keys as the peers' `shuffle`.
struct ShuffleBenchmark: Encodable {
    var api: String
    var records: Int
    var mb: Double
    var parts: Int
    var s: Repetitions
    var mb_per_s: Double
    var gen_only_s: Double
    var floor: Floor

    static func run(_ context: MillraceContext, _ options: Options) async throws
        -> ShuffleBenchmark
    {
        try options.expectOnly("api", "records", "parts", "mparts", "reps", "floor")
        let records = try options.int("records", 10_000_000)
        let parts = try options.int("parts", 8)
        let mapParts = try options.int("mparts", 8)
        let api = options.string("api", "rasp")
        let share = records / mapParts
        let input = context.range(0, mapParts, 1, mapParts)
            .mapPartitionsWithIndex { partition, _ in
                BenchmarkRecords(partition: partition, count: share)
            }
        let generation = try await seconds {
            _ = try await input.map { Int($0.0[0]) }.reduce(+)
        }
        var times: [Double] = []
        for _ in 0..<(try options.int("reps", 3)) {
            times.append(
                try await seconds {
                    let sorted = try await sort(input, api, parts)
                    try SortedRun.verify(
                        try await sorted.mapPartitions { [SortedRun($0)] }
                            .map { ($0.count, $0.isSorted, $0.first, $0.last) }.collect(),
                        records: share * mapParts)
                })
        }
        let repetitions = Repetitions(times)
        let megabytes = Double(records) * 100 / 1e6
        let rate = megabytes / repetitions.median
        return ShuffleBenchmark(
            api: api, records: records, mb: megabytes, parts: parts, s: repetitions,
            mb_per_s: rate, gen_only_s: generation,
            floor: try options.flag("floor", true)
                ? Floor.sort(records: records, partitions: parts, ours: rate) : Floor())
    }

    private static func sort(
        _ input: RDD<(Bytes, Bytes)>, _ api: String, _ parts: Int
    ) async throws -> RDD<(Bytes, Bytes)> {
        switch api {
        case "rasp":
            return input.repartitionAndSortWithinPartitions(
                TopBytesPartitioner(numPartitions: parts))
        case "sortByKey": return try await input.sortByKey(numPartitions: parts)
        default:
            throw MillraceError(
                .invalidArgument, "--api \(api) is neither rasp nor sortByKey")
        }
    }
}

/// TeraSort's partitioner: keys are uniform, so the first two bytes say where; no sampling job.
struct TopBytesPartitioner: Partitioner {
    var numPartitions: Int
    func partition(for key: Bytes) -> Int {
        ((Int(key[0]) << 8 | Int(key[1])) * numPartitions) >> 16
    }
}

/// The records of one partition: deterministic 10-byte keys and 90-byte values (xorshift64*).
struct BenchmarkRecords: Sequence, IteratorProtocol {
    private var left: Int
    private var state: UInt64

    init(partition: Int, count: Int) {
        left = count
        state = 0x9E37_79B9_7F4A_7C15 &* UInt64(partition + 1)
    }

    mutating func next() -> (Bytes, Bytes)? {
        if left == 0 { return nil }
        left -= 1
        return (bytes(10), bytes(90))
    }

    private mutating func bytes(_ count: Int) -> Bytes {
        Bytes(count: count) { buffer in
            var index = 0
            while index < count {
                var word = next64()
                for place in index..<Swift.min(index + 8, count) {
                    buffer[place] = UInt8(truncatingIfNeeded: word)
                    word >>= 8
                }
                index += 8
            }
        }
    }

    private mutating func next64() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// What is checked of a sorted partition.
struct SortedRun {
    var count = 0
    var isSorted = true
    var first = Bytes()
    var last = Bytes()

    init(_ rows: some Sequence<(Bytes, Bytes)>) {
        for (key, _) in rows {
            if count == 0 {
                first = key
            } else if key < last {
                isSorted = false
            }
            last = key
            count += 1
        }
    }

    static func verify(
        _ runs: [(count: Int, isSorted: Bool, first: Bytes, last: Bytes)], records: Int
    ) throws {
        let filled = runs.filter { $0.count > 0 }
        let isInOrder = zip(filled, filled.dropFirst())
            .allSatisfy { $0.last <= $1.first }
        guard runs.reduce(0, { $0 + $1.count }) == records, runs.allSatisfy(\.isSorted), isInOrder
        else { throw MillraceError(.jobAborted, "records lost or out of order: \(runs)") }
    }
}
