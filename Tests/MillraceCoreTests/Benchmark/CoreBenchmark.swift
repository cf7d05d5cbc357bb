import Foundation
import MillraceBase
import MillraceCore
import Testing

/// What a decision costs, alone: no wire, no threads.
/// `MILLRACE_BENCH=1 swift test -c release -Xswiftc -enable-testing --filter CoreBenchmark`
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MILLRACE_BENCH"] == "1"), .serialized)
struct CoreBenchmark {
    /// Executors that answer whatever they hold, in turn, until nothing runs.
    private struct Loop {
        var core = DriverCore()
        var effects = Effects()
        var now = Instant.zero
        var held: [[TaskID]]
        var isMap: [Bool] = []
        var ends: [TaskEnd] = []
        var ended = 0
        var finishedJobs = 0
        let runTime: Duration

        init(executors: Int, cores: Int, runTime: Duration) {
            held = [[TaskID]](repeating: [], count: executors)
            self.runTime = runTime
            for executor in 0..<executors {
                step(.executorRegistered(ExecutorID(executor), host: "h", cores: cores))
            }
        }

        mutating func step(_ event: DriverEvent) {
            effects.removeAll()
            core.handle(event, now: now, into: &effects)
            now.nanoseconds += 1_000
            for effect in effects.list {
                switch effect {
                case .launch(let executor, let range):
                    for task in effects.launches[range] { held[executor.rawValue].append(task.id) }
                case .jobSucceeded: finishedJobs += 1
                default: break
                }
            }
        }

        /// Reports all tasks of each executor, at most `batch` in one message.
        mutating func drain(batch: Int, output: TaskEndReason) {
            var isIdle = false
            while !isIdle {
                isIdle = true
                for executor in held.indices where !held[executor].isEmpty {
                    isIdle = false
                    ends.removeAll(keepingCapacity: true)
                    for task in held[executor].prefix(batch) {
                        ends.append(TaskEnd(task: task, reason: output, runTime: runTime))
                    }
                    held[executor].removeFirst(ends.count)
                    ended += ends.count
                    step(.tasksEnded(ExecutorID(executor), ends))
                }
            }
        }
    }

    /// CPU time of this thread, so that neighbours on the machine don't count.
    private func nanoseconds(_ work: () -> Void) -> Double {
        let start = cpuTime()
        work()
        return cpuTime() - start
    }

    private func cpuTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    @Test(arguments: [
        (2, 1, 1_000_000), (2, 1, 100_000), (100, 4, 1_000_000), (10_000, 4, 1_000_000),
    ])
    func `a million tasks that do nothing`(_ shape: (executors: Int, cores: Int, tasks: Int)) {
        var loop = Loop(executors: shape.executors, cores: shape.cores, runTime: .microseconds(10))
        var perJob = shape.tasks
        var jobs = 1
        if shape.tasks == 100_000 { (perJob, jobs) = (1_000, 1_000) }
        let time = nanoseconds {
            for job in 0..<jobs {
                loop.step(.jobSubmitted(Jobs.chain(job, [perJob])))
                loop.drain(batch: 64, output: .result([]))
            }
        }
        #expect(loop.ended == perJob * jobs)
        print(
            """
            \(shape.executors) executors x \(shape.cores) cores, \(jobs) jobs of \(perJob) tasks: \
            \(Int(time / Double(perJob * jobs))) ns a task
            """)
    }

    @Test func `one task end at a time`() {
        var loop = Loop(executors: 2, cores: 1, runTime: .milliseconds(50))
        let time = nanoseconds {
            loop.step(.jobSubmitted(Jobs.chain(0, [300_000])))
            loop.drain(batch: 1, output: .result([]))
        }
        print("one end in each message: \(Int(time / 300_000)) ns a task")
    }

    @Test func `micro-batches of two stages with two tasks`() {
        var loop = Loop(executors: 2, cores: 1, runTime: .microseconds(200))
        let batches = 50_000
        let sizes = TaskEndReason.mapOutput(BlockSizes([100, 100]))
        let jobs = (0..<batches).map {
            Jobs.chain($0, [2, 2], shuffles: [$0], preferred: [0, 1])
        }
        let time = nanoseconds {
            for (batch, job) in jobs.enumerated() {
                loop.step(.jobSubmitted(job))
                // Two rounds: the map tasks of both executors, then the reduce tasks.
                for reason in [sizes, .result([1, 2, 3])] {
                    for executor in 0..<2 {
                        let ends = loop.held[executor].map {
                            TaskEnd(task: $0, reason: reason, runTime: .microseconds(200))
                        }
                        loop.held[executor].removeAll(keepingCapacity: true)
                        loop.step(.tasksEnded(ExecutorID(executor), ends))
                    }
                }
                loop.step(.shuffleReleased(ShuffleID(batch)))
            }
        }
        #expect(loop.finishedJobs == batches)
        #expect(loop.core.isQuiescent)
        print(
            """
            micro-batch of 2 x 2 tasks, submission to release: \
            \(Int(time / Double(batches))) ns a batch
            """
        )
    }
}
