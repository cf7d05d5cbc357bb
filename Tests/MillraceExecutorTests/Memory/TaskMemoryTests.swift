import MillraceBase
import Synchronization
import Testing

@testable import MillraceExecutor

@Suite struct TaskMemoryTests {
    private let manager = MemoryManager(
        limit: MemoryLimit(bytes: 2000, source: .setting), total: 1000, storageRegion: 500)

    @Test("other consumers of the task spill for one that needs room, smallest sufficient first")
    func spillsOthers() throws {
        let task = TaskMemory(manager: manager, task: TaskID(7))
        var spilled: [String] = []
        var consumers: [String: MemoryConsumer] = [:]
        for (name, bytes) in [("small", 100), ("middle", 300), ("large", 500)] {
            consumers[name] = task.consumer(name) { _ in
                spilled.append(name)
                consumers[name]!.release(bytes)
                return bytes
            }
            try consumers[name]!.reserve(bytes)
        }
        let sort = task.consumer("sort")
        try sort.reserve(350)
        #expect(spilled == ["middle"])
        #expect(sort.used == 350)
        try sort.reserve(200)
        #expect(spilled == ["middle", "large"])
        task.end()
        #expect(manager.executionUsed == 0)
    }

    @Test("a consumer is not asked to spill for itself: it gets less, and keeps what it got")
    func grantsLess() throws {
        let task = TaskMemory(manager: manager, task: TaskID(7))
        let sort = task.consumer("sort") { _ in
            Issue.record("asked to spill within its own reservation")
            return 0
        }
        #expect(try sort.acquire(600) == 600)
        #expect(try sort.acquire(600) == 400)
        #expect(sort.used == 1000)
    }

    @Test("what cannot be had fails with the ledger, and takes nothing")
    func ledgerInTheMessage() throws {
        let task = TaskMemory(manager: manager, task: TaskID(7))
        let table = task.consumer("combine table")
        try table.reserve(800)
        let broadcast = manager.account("broadcast 3")
        #expect(manager.acquireStorage(150, for: broadcast))
        let error = #expect(throws: MemoryExhausted.self) { try table.reserve(300) }
        #expect(
            error?.description == """
                out of memory: combine table of task 7 wants 300 B more and can have 50 B \
                (execution 850 B and storage 150 B of 1000 B; combine table of task 7 850 B, \
                broadcast 3 150 B); give executors more memory (millrace.executor.memory, now \
                1.9 KiB) or use more partitions
                """)
        #expect(table.used == 800)
    }

    @Test("a task that waits for its share goes on when another gives back, or when cancelled")
    func waits() throws {
        let first = TaskMemory(manager: manager, task: TaskID(1))
        let held = first.consumer("sort")
        try held.reserve(1000)
        for isCancelled in [false, true] {
            let outcome = Mutex<Result<Int, any Error>?>(nil)
            let second = TaskMemory(manager: manager, task: TaskID(2))
            let thread = try TaskThread(name: "waits") {
                let result = Result { try second.consumer("table").acquire(100) }
                outcome.withLock { $0 = result }
            }
            if isCancelled { second.cancel() } else { held.release(250) }
            thread.join()
            switch outcome.withLock({ $0 }) {
            case .success(let granted): #expect(!isCancelled && granted == 100)
            case .failure(let error): #expect(isCancelled && error is TaskKilled)
            case nil: Issue.record("the thread ended without an outcome")
            }
            second.end()
            if !isCancelled { try held.reserve(250) }
        }
    }

    @Test("many tasks on threads share, spill and leave nothing behind")
    func threads() throws {
        let failures = Atomic<Int>(0)
        let threads = try (0..<4).map { number in
            try TaskThread(name: "task") { [manager] in
                var random = SplitMix64(seed: 3, stream: UInt64(number))
                for round in 0..<200 {
                    let task = TaskMemory(manager: manager, task: TaskID(number * 1000 + round))
                    let sort = task.consumer("sort")
                    do {
                        for _ in 0..<20 {
                            let wanted = Int.random(in: 1...200, using: &random)
                            if try sort.acquire(wanted) < wanted { sort.release(sort.used) }
                        }
                    } catch { failures.add(1, ordering: .relaxed) }
                    task.end()
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(manager.executionUsed == 0)
        #expect(manager.ledger().entries.isEmpty)
    }
}
