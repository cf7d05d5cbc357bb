import MillraceBase
import Testing

@testable import MillraceExecutor

/// The rules of sharing, as Spark's UnifiedMemoryManagerSuite states them.
@Suite final class UnifiedMemoryTests {
    private final class Task {}
    private let a = Task()
    private let b = Task()
    private var memory = UnifiedMemory(total: 1000, storageRegion: 500)

    private func acquire(_ bytes: Int, _ task: Task) -> UnifiedMemory.ExecutionAnswer {
        memory.acquireExecution(bytes, for: ObjectIdentifier(task))
    }
    private func store(_ bytes: Int) -> Bool { memory.acquireStorage(bytes) }

    @Test("a lone task gets all that is free")
    func loneTask() {
        #expect(acquire(400, a) == .granted(400))
        #expect(acquire(700, a) == .granted(600))
        #expect(acquire(1, a) == .granted(0))
        #expect(memory.free == 0)
    }

    @Test("storage takes what execution does not use, and evicts its own beyond that")
    func storageBorrows() {
        #expect(acquire(300, a) == .granted(300))
        #expect(memory.evictionNeeded(forStorage: 700) == 0)
        #expect(store(700))
        #expect(memory.evictionNeeded(forStorage: 50) == 50)
        #expect(!store(1))
        #expect(memory.evictionNeeded(forStorage: 701) == nil, "execution is never evicted")
    }

    @Test("execution evicts storage down to its region, not below")
    func executionEvicts() {
        #expect(store(750))
        #expect(memory.evictionNeeded(forExecution: 250) == 0)
        #expect(memory.evictionNeeded(forExecution: 300) == 50)
        #expect(memory.evictionNeeded(forExecution: 900) == 250)
        memory.releaseStorage(250)
        #expect(memory.evictionNeeded(forExecution: 900) == 0)
        #expect(acquire(900, a) == .granted(500))
    }

    @Test("execution takes the unused part of storage's region too")
    func executionBorrowsTheRegion() {
        #expect(store(100))
        #expect(acquire(1000, a) == .granted(900))
        #expect(memory.evictionNeeded(forStorage: 50) == 50, "only its own")
    }

    @Test("a second task waits for half of its share and is held to all of it")
    func fairShare() {
        #expect(acquire(1000, a) == .granted(1000))
        #expect(acquire(300, b) == .wait)
        memory.releaseExecution(200, of: ObjectIdentifier(a))
        #expect(acquire(300, b) == .wait)
        memory.releaseExecution(100, of: ObjectIdentifier(a))
        #expect(acquire(500, b) == .granted(300))
        #expect(acquire(100, a) == .granted(0))
        memory.releaseExecution(400, of: ObjectIdentifier(a))
        #expect(acquire(500, b) == .granted(200))
    }

    @Test("a task that holds nothing any more takes no share")
    func endedTask() {
        #expect(acquire(100, a) == .granted(100))
        #expect(acquire(100, b) == .granted(100))
        let left = memory.end(ObjectIdentifier(b))
        #expect(left == 100)
        #expect(acquire(1000, a) == .granted(900))
        memory.releaseExecution(1000, of: ObjectIdentifier(a))
        #expect(acquire(1000, b) == .granted(1000))
    }

    @Test("sums hold whatever is asked, in any order")
    func sums() {
        var random = SplitMix64(seed: 11)
        let tasks = [a, b, Task(), Task()]
        var stored = 0
        for _ in 0..<20_000 {
            let task = ObjectIdentifier(tasks[Int.random(in: 0..<4, using: &random)])
            let bytes = Int.random(in: 0...400, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: _ = memory.acquireExecution(bytes, for: task)
            case 2: memory.releaseExecution(min(bytes, memory.tasks[task] ?? 0), of: task)
            case 3: if memory.acquireStorage(bytes) { stored += bytes }
            default:
                memory.releaseStorage(min(bytes, stored))
                stored -= min(bytes, stored)
            }
            #expect(memory.executionUsed == memory.tasks.values.reduce(0, +))
            #expect(memory.storageUsed == stored)
            #expect(memory.executionUsed <= memory.executionPool)
            #expect(memory.storageUsed <= memory.storagePool)
        }
    }
}
