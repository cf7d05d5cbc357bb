import CAllocationCounter
import Glibc
import MillraceBase
import MillraceCore

/// One scenario with so many executors: the core, and executors that answer at once.
///
/// Measured are the steps between the first fill of the executors and the last tenth of the tasks,
/// so that every executor's message holds the same number of ends, whatever their number. Simulated
/// time passes as if tasks took what they say they took.
struct ScaleRun {
    struct Shape {
        var executors: Int
        var cores: Int
        var tasks: Int
        /// Ends in each message, and tasks that an executor holds beyond its cores.
        var batch: Int
    }

    private let scenario: ScaleScenario
    private let shape: Shape
    private var core: DriverCore
    private var executors: InstantExecutors
    private var effects = Effects()
    private var now = Instant.zero
    /// What a message's ends took their executor, divided among all executors.
    private let tick: Int64

    private var ended = 0
    /// Of the steps in the measured window.
    private var work = Work()
    private var losses = Work()
    private var registration = Work()
    private var submission = Work()

    /// What went on inside the core.
    struct Work {
        var steps = 0
        /// Tasks, executors: whatever the steps were about.
        var units = 0
        var nanoseconds = 0
        var allocations: Int64 = 0
        var bytes: Int64 = 0

        static func += (sum: inout Work, step: Work) {
            sum.steps += step.steps
            sum.units += step.units
            sum.nanoseconds += step.nanoseconds
            sum.allocations += step.allocations
        }
    }

    init(_ scenario: ScaleScenario, _ shape: Shape) {
        self.scenario = scenario
        self.shape = shape
        core = DriverCore(settings: scenario.settings(batch: shape.batch))
        executors = InstantExecutors(scenario, shape)
        let round = InstantExecutors.runTime.nanoseconds * Int64(shape.batch)
        tick = max(round / Int64(shape.cores * shape.executors), 1)
    }

    /// One step of the core, which is about so many tasks or executors.
    @discardableResult
    private mutating func step(_ event: DriverEvent, about units: Int) -> Work {
        effects.removeAll()
        now.nanoseconds += tick
        let allocations = callocationcounter_count()
        let start = nanoseconds()
        core.handle(event, now: now, into: &effects)
        let time = nanoseconds() - start
        let work = Work(
            steps: 1, units: units, nanoseconds: time,
            allocations: callocationcounter_count() - allocations)
        executors.take(effects)
        return work
    }

    private func nanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    // MARK: The run

    /// Throws what should not be: a job that failed, tasks that were forgotten.
    mutating func run() throws -> ScaleResult {
        let processorBefore = processorSeconds()
        let began = nanoseconds()
        register()
        submit()
        while executors.finishedJobs < jobCount {
            if let failure = executors.failure { throw failure.error }
            let before = ended
            try round()
            if ended == before { try wait() }
        }
        let wall = Double(nanoseconds() - began)
        guard core.isQuiescent else {
            throw MillraceError(.jobAborted, "\(scenario): something is left when all jobs ended")
        }
        // What others took of the machine meanwhile is no cost of ours.
        let share = min((processorSeconds() - processorBefore) * 1e9 / wall, 1)
        return ScaleResult(
            scenario, shape, work, losses, registration, submission, running: running,
            pending: pendingBytes(), share: share)
    }

    private var jobCount = 0
    /// Launched when all jobs were there.
    private var running = 0

    private mutating func register() {
        let bytes = callocationcounter_bytes()
        for executor in 0..<shape.executors {
            registration += step(
                .executorRegistered(
                    ExecutorID(executor), host: "host-\(executor)", cores: shape.cores), about: 1)
        }
        registration.bytes = callocationcounter_bytes() - bytes
    }

    private mutating func submit() {
        let jobs = scenario.jobs(tasks: shape.tasks, executors: shape.executors)
        jobCount = jobs.count
        let bytes = callocationcounter_bytes()
        for job in jobs { submission += step(.jobSubmitted(job), about: 0) }
        submission.units = shape.tasks
        submission.bytes = callocationcounter_bytes() - bytes
        running = executors.launched
    }

    /// Each executor reports once.
    private mutating func round() throws {
        for executor in 0..<shape.executors where executors.report(executor) {
            let reported = executors.ends.count
            ended += reported
            let isMeasured = executors.launched < shape.tasks - shape.tasks / 10
            let step = step(.tasksEnded(ExecutorID(executor), executors.ends), about: reported)
            if isMeasured { work += step }
            if scenario == .loss, losses.steps == 0, ended > shape.tasks / 2 { loseSome() }
        }
        while let executor = executors.reportKilled() {
            ended += 1
            step(.tasksEnded(executor, executors.ends), about: 1)
        }
    }

    /// One executor in a hundred; never all.
    private mutating func loseSome() {
        for executor in stride(from: 0, to: shape.executors, by: ScaleScenario.rarity) {
            guard shape.executors > 1 else { break }
            executors.lose(executor)
            losses += step(
                .executorLost(
                    ExecutorID(executor), ExecutorLoss(reason: "its machine is gone")), about: 1)
        }
    }

    /// Nobody has anything to report: time passes until the core wants to be asked.
    private mutating func wait() throws {
        guard executors.wakeAt < .distantFuture else {
            throw MillraceError(.jobAborted, "\(scenario): nothing runs and \(ended) tasks ended")
        }
        now = max(now, executors.wakeAt)
        step(.timerFired, about: 0)
    }

    /// What the jobs take while they wait: each executor has a core, and runs one task.
    private func pendingBytes() -> Int64 {
        var settings = scenario.settings(batch: shape.batch)
        settings.prefetchQueueTime = .zero
        var core = DriverCore(settings: settings)
        var effects = Effects()
        for executor in 0..<shape.executors {
            let event = DriverEvent.executorRegistered(
                ExecutorID(executor), host: "host-\(executor)", cores: 1)
            core.handle(event, now: .zero, into: &effects)
        }
        let jobs = scenario.jobs(tasks: shape.tasks, executors: shape.executors)
        effects = Effects()
        let bytes = callocationcounter_bytes()
        for job in jobs { core.handle(.jobSubmitted(job), now: .zero, into: &effects) }
        effects = Effects()
        let used = callocationcounter_bytes() - bytes
        precondition(core.runningJobCount == jobs.count)
        return used
    }
}
