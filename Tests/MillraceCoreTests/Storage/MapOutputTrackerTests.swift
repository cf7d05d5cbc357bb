import MillraceBase
import Testing

@testable import MillraceCore

/// Where map outputs lie, and what an executor takes with it.
@Suite struct MapOutputTrackerTests {
    private static func status(_ map: Int, on executor: Int, by task: Int? = nil) -> MapStatus {
        MapStatus(
            executor: ExecutorID(executor), mapTask: TaskID(task ?? map), mapIndex: map,
            sizes: BlockSizes([1]))
    }

    private static func add(
        _ statuses: [MapStatus], to slot: Int, _ tracker: inout MapOutputTracker
    ) {
        for status in statuses where !tracker.add(status, to: slot) {
            Issue.record("map \(status.mapIndex) was there")
        }
    }

    @Test func `a lost executor takes its outputs of all shuffles, and no others`() {
        var tracker = MapOutputTracker()
        let first = tracker.register(ShuffleID(7), mapCount: 4, reducerCount: 1)
        let second = tracker.register(ShuffleID(8), mapCount: 2, reducerCount: 1)
        Self.add([3, 0, 1].map { Self.status($0, on: $0 % 2) }, to: first, &tracker)
        Self.add([Self.status(1, on: 1)], to: second, &tracker)
        let losses = tracker.removeOutputs(on: ExecutorID(1))
        var lost: [MapOutputTracker.Loss]
        #expect(losses.map(\.shuffle) == [ShuffleID(7), ShuffleID(8)])
        #expect(losses.map(\.mapIndexes) == [[1, 3], [1]])
        #expect(tracker.shuffles[slot: first].available == 1)
        lost = tracker.removeOutputs(on: ExecutorID(1))
        #expect(lost.isEmpty)
        lost = tracker.removeOutputs(on: ExecutorID(5))
        #expect(lost.isEmpty)
        lost = tracker.removeOutputs(on: ExecutorID(-1))
        #expect(lost.isEmpty)
    }

    @Test func `an output younger than the complaint stays`() {
        var tracker = MapOutputTracker()
        let slot = tracker.register(ShuffleID(0), mapCount: 2, reducerCount: 1)
        Self.add(
            [Self.status(0, on: 0, by: 3), Self.status(1, on: 0, by: 9)], to: slot, &tracker)
        let losses = tracker.removeOutputs(on: ExecutorID(0), before: TaskID(5))
        #expect(losses.map(\.mapIndexes) == [[0]])
        let rest = tracker.removeOutputs(on: ExecutorID(0))
        #expect(rest.map(\.mapIndexes) == [[1]])
    }

    @Test func `a forgotten shuffle leaves nothing in the index, and its slot starts empty`() {
        var tracker = MapOutputTracker()
        let slot = tracker.register(ShuffleID(0), mapCount: 3, reducerCount: 1)
        Self.add([0, 2].map { Self.status($0, on: 0) }, to: slot, &tracker)
        tracker.remove(ShuffleID(0))
        #expect(tracker.index.count == 0)
        let reused = tracker.register(ShuffleID(1), mapCount: 3, reducerCount: 1)
        #expect(reused == slot)
        let lost = tracker.removeOutputs(on: ExecutorID(0))
        #expect(lost.isEmpty)
    }

    /// A look at every output for every executor would be 100 million here.
    @Test func `a hundred thousand outputs go executor by executor`() {
        let (maps, executors) = (100_000, 1_000)
        var tracker = MapOutputTracker()
        let slot = tracker.register(ShuffleID(0), mapCount: maps, reducerCount: 1)
        Self.add((0..<maps).map { Self.status($0, on: $0 % executors) }, to: slot, &tracker)
        #expect(tracker.shuffles[slot: slot].isComplete)
        for executor in 0..<executors {
            let losses = tracker.removeOutputs(on: ExecutorID(executor))
            #expect(losses.count == 1)
            #expect(losses.first?.mapIndexes.count == maps / executors)
            #expect(losses.first?.mapIndexes.first == executor)
        }
        #expect(tracker.shuffles[slot: slot].available == 0)
        #expect(tracker.index.count == 0)
    }
}
