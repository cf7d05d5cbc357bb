import Glibc
import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire
import Synchronization
import Testing

@testable import MillraceExecutor

/// Of several attempts that wrote the same partition, one commits.
@Suite struct CommitTests {
    @Test("of two attempts that race one commits, and the other takes away what it wrote")
    func race() throws {
        let folder = TemporaryTestFolder()
        let sink = TextFileSink<Int>(folder: folder.path) { rows, bytes in
            for row in rows { bytes.append(contentsOf: "\(row)\n".utf8) }
        }
        let plan = try ExecutablePlan(
            decoding: PlanTree(nodes: [.init(RangeSource(), children: [])], sink: sink).encode())
        let holder = Mutex<TaskID?>(nil)
        let ends = Mutex<[TaskID: Result<String, any Error>]>([:])
        var range = ByteWriter()
        SourceInput.write(0, 5, 1, into: &range)
        let bytes = range.bytes
        let attempts = try (0..<2).map { number in
            try TaskThread(name: "attempt") {
                let context = TaskContext(
                    partition: 3, attempt: number, taskID: TaskID(number),
                    input: TaskInput([
                        .init(node: 0, partition: 3, bytes: bytes)
                    ]), shuffle: MemoryShuffleEnvironment(inputs: [], output: nil))
                context.askToCommit = {
                    let isFirst = holder.withLock { holder in
                        if holder == nil { holder = TaskID(number) }
                        return holder == TaskID(number)
                    }
                    if !isFirst { throw CommitDenied() }
                }
                let end = Result {
                    guard case .result(let path) = try context.run({ try plan.run(context) })
                    else { return "" }
                    return String(decoding: path, as: UTF8.self)
                }
                ends.withLock { $0[TaskID(number)] = end }
            }
        }
        for attempt in attempts { attempt.join() }
        let winner = try #require(holder.withLock { $0 })
        let loser = TaskID(1 - winner.rawValue)
        let path = try #require(try ends.withLock { try $0[winner]?.get() })
        #expect(try PosixFileSystem().read(path) == Array("0\n1\n2\n3\n4\n".utf8))
        #expect(throws: CommitDenied.self) { try ends.withLock { _ = try $0[loser]?.get() } }
        #expect(try PosixFileSystem().list(folder.path).count == 1)
    }

    @Test("a task hears the driver's decision, once it has asked", arguments: [true, false])
    func decision(isGranted: Bool) {
        let commits = CommitDecisions()
        let task = TaskID(4)
        let decision = commits.wait(for: task, atMost: .seconds(60)) {
            commits.decide([.init(task: TaskID(5), isGranted: !isGranted)])
            commits.decide([.init(task: task, isGranted: isGranted)])
        }
        #expect(decision == isGranted)
        // Too late, and of nobody: passed over.
        commits.decide([.init(task: task, isGranted: true)])
    }

    @Test("without a decision the wait ends")
    func noDecision() {
        let commits = CommitDecisions()
        #expect(commits.wait(for: TaskID(4), atMost: .milliseconds(1)) {} == nil)
    }

    @Test("a task that is killed waits no more, for a decision or for anything")
    func killedWhileWaiting() throws {
        let commits = CommitDecisions()
        let context = TaskContext(
            partition: 0, taskID: TaskID(7),
            shuffle: MemoryShuffleEnvironment(inputs: [], output: nil))
        #expect(throws: TaskKilled(reason: "enough")) {
            try context.waiting(wakenBy: { commits.withdraw(TaskID(7)) }) {
                _ = commits.wait(for: TaskID(7), atMost: .seconds(60)) {
                    context.kill(reason: "enough")
                    context.kill(reason: "once more")
                }
            }
        }
        #expect(context.isInterrupted)
        var hasWaited = false
        #expect(throws: TaskKilled(reason: "enough")) {
            try context.waiting(wakenBy: {}) { hasWaited = true }
        }
        #expect(!hasWaited)
        #expect(throws: TaskKilled(reason: "enough")) { try context.killTaskIfInterrupted() }
    }
}
