import Glibc
import Millrace
import MillraceBase

/// Accumulators of every kind on executors that die.
extension ClusterJobs {
    /// One executor is killed by a map task, one by a result task, and one between two jobs over
    /// the same shuffle: each partition of each stage counts once.
    static func accumulators(_ context: MillraceContext) async throws {
        let folder = temporaryFolder()
        let rows = context.longAccumulator("rows")
        let weight = context.doubleAccumulator("weight")
        let hundreds = context.collectionAccumulator("hundreds", of: Int.self)
        let extremes = context.register(Extremes(), name: "extremes")
        let groups = context.longAccumulator("groups")
        let sums = context.range(0, 1_000, 1, 8)
            .map { value -> (Int, Int) in
                rows.add(1)
                weight.add(Double(value) / 4)
                if value % 100 == 0 { hundreds.add(value) }
                extremes.add(value)
                if value == 900 { dieOnce("\(folder)/map") }
                return (value % 10, value)
            }
            .reduceByKey(numPartitions: 4, +)
            .map { row -> (Int, Int) in
                groups.add(1)
                if row.0 == 5 { dieOnce("\(folder)/reduce") }
                return row
            }
        for round in 1...3 {
            check(try await sums.count(), 10)
            check(rows.value, 1_000)
            check(rows.count, 1_000)
            check(weight.value, 124_875)
            check(hundreds.value, (0..<10).map { $0 * 100 })
            check(extremes.value, [0, 999])
            check(groups.value, Int64(10 * round))
            // What the next job finds lost, it computes again.
            if round == 2, let victim = try await context.executors().first {
                kill(pid_t(victim.processID), SIGKILL)
            }
        }
        check(access("\(folder)/map", F_OK), 0)
        check(access("\(folder)/reduce", F_OK), 0)
        check(
            context.accumulators.map(\.value),
            [
                "1000", "124875.0", "\((0..<10).map { $0 * 100 })", "[0, 999]", "30",
            ])
    }

    /// Nanoseconds of an `add` in a task, beside the same loop without: printed, for people.
    static func accumulatorCost(_ context: MillraceContext) async throws {
        let sum = context.longAccumulator()
        let count = 20_000_000
        let times = try await context.range(0, 1, 1, 1).flatMap { _ -> [Int] in
            [
                nanoseconds { for number in 0..<count { opaque = number } },
                nanoseconds {
                    for number in 0..<count {
                        opaque = number
                        sum.add(Int64(truncatingIfNeeded: number))
                    }
                },
            ]
        }.collect()
        check(sum.count, Int64(count))
        print(
            "ns per loop: \(Double(times[0]) / Double(count)), with add: "
                + "\(Double(times[1]) / Double(count))")
    }
}

/// Keeps a loop from being computed away.
nonisolated(unsafe) var opaque = 0

func nanoseconds(_ body: () -> Void) -> Int {
    let start = ContinuousClock.now
    body()
    return Int((ContinuousClock.now - start).nanoseconds)
}

struct Extremes: AccumulatorV2 {
    var low: Int?
    var high: Int?
    var isZero: Bool { low == nil }
    mutating func reset() { self = Extremes() }
    mutating func add(_ number: Int) {
        low = min(low ?? number, number)
        high = max(high ?? number, number)
    }
    mutating func merge(_ other: Extremes) {
        for number in [other.low, other.high] { number.map { add($0) } }
    }
    var value: [Int] { [low, high].compactMap { $0 } }
}
