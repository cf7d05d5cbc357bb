import MillraceBase
import MillraceCore
import Testing

@testable import MillraceExecutor

/// One attempt's parts of accumulators, on this thread.
@Suite struct TaskAccumulatorsTests {
    let registry = AccumulatorRegistry()
    let context = TaskContext(
        partition: 0, shuffle: MemoryShuffleEnvironment(inputs: [], output: nil))

    @Test("a failed task tells only what counts failures, in the order of the first additions")
    func failed() throws {
        let exact = registry.register(LongSum())
        let all = registry.register(LongSum(), countsFailedValues: true)
        let words = registry.register(
            CollectedValues<String>(), countsFailedValues: true)
        context.run {
            words.add("a")
            exact.add(1)
            all.add(2)
            exact.add(3)
        }
        #expect(exact.value == 0)
        let updates = try context.accumulators.updates()
        #expect(updates.map(\.id) == [words.id, exact.id, all.id])
        #expect(updates[1].value == .long(sum: 4, count: 2))
        let failed = try context.accumulators.updates(ofFailed: true)
        #expect(failed.map(\.id) == [words.id, all.id])
    }

    @Test("what is zero is left out, unless it's asked for")
    func zero() throws {
        let words = registry.register(Toggle())
        context.run {
            words.add(1)
            words.add(1)
        }
        #expect(try context.accumulators.updates().isEmpty)
        #expect(try context.accumulators.updates(droppingZero: false).count == 1)
    }

    @Test("ids that meet in one place of the table keep apart")
    func collisions() throws {
        let sums = (0..<70).map { _ in registry.register(LongSum()) }
        // 64 places: 0, 64 and others meet while the table grows.
        let chosen = [0, 64, 1, 65, 8, 16, 32, 69]
        context.run {
            for round in 1...3 { for index in chosen { sums[index].add(index * round) } }
        }
        let updates = try context.accumulators.updates()
        #expect(updates.map(\.id.rawValue) == chosen)
        #expect(updates.map(\.value) == chosen.map { .long(sum: Int64($0 * 6), count: 3) })
    }

    @Test("outside of a task the driver's whole gets it, and a task within a task has its own")
    func threads() throws {
        let sum = registry.register(LongSum())
        let inner = TaskContext(
            partition: 1, shuffle: MemoryShuffleEnvironment(inputs: [], output: nil))
        sum.add(1)
        context.run {
            sum.add(10)
            #expect(TaskContext.current === context)
            inner.run { sum.add(100) }
            #expect(TaskContext.current === context)
            sum.add(1000)
        }
        #expect(TaskContext.current == nil)
        sum.add(1)
        #expect(sum.value == 2)
        #expect(try context.accumulators.updates().map(\.value) == [.long(sum: 1010, count: 2)])
        #expect(try inner.accumulators.updates().map(\.value) == [.long(sum: 100, count: 1)])
    }

    @Test("a contribution that cannot be read is left out")
    func damaged() {
        let words = registry.register(CollectedValues<String>(), name: "words")
        let bad = AccumulatorUpdate(id: words.id, value: .bytes([255, 255, 255]))
        let odd = AccumulatorUpdate(id: words.id, value: .long(sum: 1, count: 1))
        registry.apply(.contributed(AccumulatorOrigin(0), unit: 0, StageID(0), [bad]))
        registry.apply(.contributed(AccumulatorOrigin(0), unit: 1, StageID(0), [odd]))
        #expect(words.value.isEmpty)
        registry.apply(.settled(AccumulatorOrigin(0)))
        registry.mergeSettled()
        #expect(words.value.isEmpty)
    }
}

/// Zero again after an even number of additions.
private struct Toggle: AccumulatorV2 {
    var value = 0
    var isZero: Bool { value == 0 }
    mutating func reset() { value = 0 }
    mutating func add(_ bit: Int) { value ^= bit }
    mutating func merge(_ other: Toggle) { value ^= other.value }
}
