import MillraceBase
import Testing

@testable import MillraceCore

/// The target of dynamic allocation, where a script would say less.
@Suite struct ExecutorAllocationTests {
    private static func policy(
        _ change: (inout AllocationSettings) -> Void = { _ in }
    ) -> ExecutorAllocation {
        var settings = AllocationSettings()
        change(&settings)
        return ExecutorAllocation(settings: settings)
    }

    @Test(
        "needed is tasks times ratio over slots, rounded up",
        arguments: [
            (0, 1, 1.0, 0), (1, 1, 1.0, 1), (1, 4, 1.0, 1), (5, 4, 1.0, 2), (8, 4, 0.5, 1),
            (9, 4, 0.5, 2), (3, 1, 0.34, 2),
        ])
    func needed(tasks: Int, slots: Int, ratio: Double, expected: Int) {
        let policy = Self.policy {
            $0.tasksPerExecutor = slots
            $0.allocationRatio = ratio
        }
        let waiting = SchedulerLoad(pending: tasks)
        #expect(policy.needed(for: waiting, current: 0) == expected)
        let running = SchedulerLoad(running: tasks)
        #expect(policy.needed(for: running, current: 7) == expected)
    }

    @Test("a waiting copy of a slow task gets an executor of its own")
    func speculation() {
        let policy = Self.policy { $0.tasksPerExecutor = 4 }
        #expect(policy.needed(for: .init(pendingSpeculative: 1, running: 1), current: 1) == 2)
        #expect(policy.needed(for: .init(pendingSpeculative: 1, running: 4), current: 1) == 2)
        #expect(policy.needed(for: .init(running: 1), current: 1) == 1)
        let single = Self.policy()
        #expect(single.needed(for: .init(pendingSpeculative: 1), current: 1) == 1)
    }

    @Test("task sets that no executor may run get executors beyond those that are there")
    func unschedulable() {
        let policy = Self.policy { $0.tasksPerExecutor = 2 }
        let load = SchedulerLoad(pending: 2, unschedulableSets: 3)
        #expect(policy.needed(for: load, current: 5) == 7)
        #expect(policy.needed(for: .init(pending: 40, unschedulableSets: 1), current: 5) == 20)
    }

    @Test("no number of tasks is too large to count")
    func overflow() {
        let policy = Self.policy { $0.allocationRatio = 1 }
        let load = SchedulerLoad(pending: Int.max / 4, running: Int.max / 4)
        #expect(policy.needed(for: load, current: 0) == Int(Int32.max))
    }

    @Test("a growth that was refused is taken back, step and target")
    func refusal() {
        var policy = Self.policy()
        let load = SchedulerLoad(pending: 100)
        policy.observe(isBacklogged: true, now: .zero)
        let second = Instant.zero + .seconds(1)
        #expect(policy.adjust(load, current: 0, now: second) == 1)
        // Not answered yet: nothing else is asked for.
        #expect(policy.adjust(load, current: 0, now: second + .seconds(9)) == nil)
        policy.answer(isAcknowledged: false, total: 1)
        #expect(policy.target == 0 && policy.step == 1)
        #expect(policy.adjust(load, current: 0, now: second + .seconds(9)) == 1)
        policy.answer(isAcknowledged: true, total: 1)
        #expect(policy.target == 1 && policy.step == 2)
        #expect(policy.addTime == second + .seconds(10))
    }

    @Test("gauges have Spark's names")
    func gauges() {
        let names = AllocationGauges().named.map(\.name)
        #expect(names.count == 10)
        #expect(names.allSatisfy { $0.hasPrefix("executors.number") })
        #expect(Set(names).count == 10)
    }
}
