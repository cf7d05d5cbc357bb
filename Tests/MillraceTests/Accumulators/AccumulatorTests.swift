import Millrace
import MillraceExecutor
import Testing

/// Accumulators as a program uses them; jobs run in the calling thread.
@Suite struct AccumulatorTests {
    let context = serialContext()

    @Test("what tasks of map and result stages have added is there when the job has ended")
    func counted() async throws {
        let rows = context.longAccumulator("rows")
        let weight = context.doubleAccumulator("weight")
        let kept = context.longAccumulator()
        let sums = try await context.range(0, 100, 1, 5)
            .map { value -> (Int, Int) in
                rows.add(1)
                weight.add(Double(value) / 2)
                return (value % 10, value)
            }
            .reduceByKey(numPartitions: 3, +)
            .filter { row in
                kept.add(row.1)
                return row.0 < 5
            }
            .count()
        #expect(sums == 5)
        #expect(rows.value == 100)
        #expect(rows.count == 100)
        #expect(weight.value == 2475)
        #expect(weight.avg == 24.75)
        #expect(kept.value == 4950)
        #expect(kept.count == 10)
        #expect(kept.avg == 495)
    }

    @Test("collected values come in the order of the partitions")
    func collected() async throws {
        let odd = context.collectionAccumulator("odd", of: Int.self)
        let words: CollectionAccumulator<String> = context.collectionAccumulator()
        try await context.range(0, 10, 1, 4).foreach { value in
            if value % 2 == 1 { odd.add(value) } else { words.add("w\(value)") }
        }
        #expect(odd.value == [1, 3, 5, 7, 9])
        #expect(words.value == ["w0", "w2", "w4", "w6", "w8"])
    }

    @Test("a program's own accumulator begins with what it was registered with")
    func custom() async throws {
        let extremes = context.register(Extremes(low: 40, high: 41), name: "extremes")
        #expect(extremes.value?.low == 40)
        try await context.range(10, 90, 1, 8).foreach { extremes.add($0) }
        #expect(extremes.value?.low == 10)
        #expect(extremes.value?.high == 89)
        #expect(!extremes.isZero)
    }

    @Test("an accumulator of a class keeps the parts of tasks apart")
    func classes() async throws {
        let names = context.register(Names())
        for _ in 0..<2 {
            try await context.range(0, 6, 1, 3).foreach { names.add("n\($0 % 4)") }
        }
        #expect(names.value == ["n0", "n1", "n2", "n3"])
    }

    @Test("the driver's own additions count at once")
    func onDriver() async throws {
        let count = context.longAccumulator()
        count.add(5)
        #expect(count.value == 5)
        try await context.range(0, 3, 1, 2).foreach { _ in count.add(1) }
        count.add(2)
        #expect(count.value == 10)
        count.reset()
        #expect(count.isZero)
        try await context.range(0, 3, 1, 2).foreach { _ in count.add(1) }
        #expect(count.value == 3)
    }

    @Test("many accumulators in one task keep apart")
    func many() async throws {
        let counts = (0..<100).map { _ in context.longAccumulator() }
        try await context.range(0, 1_000, 1, 3).foreach { counts[$0 % 100].add($0) }
        for (index, count) in counts.enumerated() {
            #expect(count.value == (0..<10).reduce(0) { $0 + Int64($1 * 100 + index) })
        }
    }

    @Test("an accumulator nobody adds to is zero, and a job that uses none costs none")
    func unused() async throws {
        let never = context.longAccumulator("never")
        #expect(try await context.range(0, 10, 1, 2).count() == 10)
        #expect(never.value == 0)
        #expect(never.avg.isNaN)
        #expect(never.partialValue == 0)
    }

    @Test("named accumulators are listed with what each stage has added")
    func listed() async throws {
        let rows = context.longAccumulator("rows")
        let seen = context.collectionAccumulator("seen", of: Int.self)
        let hidden = context.longAccumulator()
        try await context.range(0, 4, 1, 1).foreach { value in
            rows.add(value)
            seen.add(value)
            hidden.add(1)
        }
        let infos = context.accumulators
        #expect(infos.map(\.name) == ["rows", "seen"])
        #expect(infos.map(\.value) == ["6", "[0, 1, 2, 3]"])
        #expect(infos.map { $0.stages.map(\.value) } == [["6"], ["[0, 1, 2, 3]"]])
        #expect("\(rows)" == "accumulator 0 (rows): 6")
    }

    @Test("nothing is kept of an accumulator that the program let go")
    func forgotten() async throws {
        do {
            let rows = context.longAccumulator("rows")
            try await context.range(0, 4, 1, 2).foreach { rows.add($0) }
            #expect(context.accumulators.count == 1)
        }
        #expect(context.accumulators.isEmpty)
    }
}

private struct Extremes: AccumulatorV2 {
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
    var value: (low: Int, high: Int)? { low.map { ($0, high ?? $0) } }
}

private final class Names: AccumulatorV2, @unchecked Sendable {
    private var names: Set<String> = []
    var isZero: Bool { names.isEmpty }
    func copy() -> Names {
        let copy = Names()
        copy.names = names
        return copy
    }
    func reset() { names = [] }
    func add(_ name: String) { names.insert(name) }
    func merge(_ other: Names) { names.formUnion(other.names) }
    var value: [String] { names.sorted() }
}
