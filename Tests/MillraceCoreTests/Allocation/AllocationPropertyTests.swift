import MillraceBase
import Testing

@testable import MillraceCore

/// Dynamic allocation through random days: what must hold whatever happens.
@Suite struct AllocationPropertyTests {
    @Test func `the target stays within its bounds and idle executors go`() {
        var seen: [String: Int] = [:]
        for seed in 0..<30 {
            var day = AllocationDay(seed: UInt64(seed))
            day.run()
            #expect(day.problems.isEmpty, "seed \(seed): \(day.problems.prefix(5))")
            for (what, count) in day.seen { seen[what, default: 0] += count }
        }
        for what in ["grown", "lowered", "refused", "removed", "lost", "kept for a shuffle"] {
            #expect(seen[what, default: 0] > 0, "never \(what)")
        }
    }
}

/// A cluster manager that takes its time, jobs of every size, and a clock.
struct AllocationDay {
    private var core: DriverCore
    private let settings: AllocationSettings
    private var random: PRNG
    private var now = Instant.zero
    private var timer: Instant?
    private var effects = Effects()
    /// Executors on their way, by the instant at which they come.
    private var coming: [Instant] = []
    private var alive: [Bool] = []
    private var isDraining: [Bool] = []
    private var held: [[TaskDescription]] = []
    private var reducers: [TaskID: Int?] = [:]
    private var jobs = 0
    private var running = 0
    private var shuffles = 0
    private var released = 0
    private var wanted: Int
    private var lastRequest: (total: Int, at: Instant)?
    private var lastGrowth: Instant?
    private(set) var problems: [String] = []
    private(set) var seen: [String: Int] = [:]

    init(seed: UInt64) {
        random = PRNG(seed: seed)
        var own = AllocationSettings()
        own.minExecutors = random.below(3)
        own.maxExecutors = own.minExecutors + 1 + random.below(12)
        own.initialExecutors = own.minExecutors + random.below(2)
        own.tasksPerExecutor = 1 + random.below(3)
        own.idleTimeout = .seconds(Int64(1 + random.below(20)))
        own.shuffleTimeout = .seconds(Int64(random.below(40)))
        own.isShuffleTracked = random.chance(700)
        own.decommissions = random.chance(500)
        var settings = CoreSettings()
        settings.heartbeatTimeout = .seconds(1_000_000)
        settings.prefetchQueueTime = random.chance(500) ? .zero : .milliseconds(2)
        settings.allocation = own
        self.settings = own
        wanted = own.initialExecutors
        core = DriverCore(settings: settings)
    }

    mutating func run() {
        for _ in 0..<wanted { addExecutor() }
        for _ in 0..<300 where problems.isEmpty { step(jobsLeft: true) }
        // Then everything ends, and what isn't needed goes.
        var steps = 0
        while running > 0, steps < 20_000, problems.isEmpty {
            step(jobsLeft: false)
            steps += 1
        }
        if running > 0 { problems.append("\(running) jobs never end") }
        while released < shuffles { release() }
        advance(by: .seconds(200))
        let left = alive.count { $0 }
        if problems.isEmpty, left > max(settings.minExecutors, 0) {
            problems.append("\(left) executors are left, \(settings.minExecutors) are the minimum")
        }
        if !core.isQuiescent { problems.append("something is left over") }
    }

    private mutating func step(jobsLeft: Bool) {
        switch random.below(20) {
        case 0 where jobsLeft: submit()
        case 1 where jobsLeft: if random.chance(100) { loseExecutor() }
        case 2 where jobsLeft: if released < shuffles, random.chance(300) { release() }
        case 3..<10: advance(by: .milliseconds(Int64(random.below(1_500))))
        default: finishSome()
        }
    }

    // MARK: The core

    private mutating func handle(_ event: DriverEvent) {
        effects.removeAll()
        core.handle(event, now: now, into: &effects)
        var answers: [DriverEvent] = []
        for effect in effects.list { perform(effect, &answers) }
        for answer in answers { handle(answer) }
    }

    private mutating func perform(_ effect: Effect, _ answers: inout [DriverEvent]) {
        switch effect {
        case .armTimer(let instant): timer = instant
        case .launch(let executor, let range):
            if isDraining[executor.rawValue] || !alive[executor.rawValue] {
                problems.append("\(executor) is leaving and gets a task")
            }
            for task in effects.launches[range] {
                let setup = core.setup(of: task.stage, attempt: task.stageAttempt)
                reducers[task.id] = setup.map { $0.outputShuffle == nil ? nil : $0.reducerCount }
                held[executor.rawValue].append(task)
            }
        case .kill(let executor, let task, _):
            held[executor.rawValue].removeAll { $0.id == task }
            let end = TaskEnd(task: task, reason: .killed(reason: "asked"))
            answers.append(.tasksEnded(executor, [end]))
        case .jobSucceeded, .jobFailed: running -= 1
        case .decommissionExecutor(let executor, _):
            isDraining[executor.rawValue] = true
            seen["removed", default: 0] += 1
        case .executorDrained(let executor):
            answers.append(.executorKilled(executor, reason: "drained"))
        case .releaseExecutor(let executor, _):
            if !held[executor.rawValue].isEmpty { problems.append("\(executor) goes with tasks") }
            seen["removed", default: 0] += 1
            alive[executor.rawValue] = false
        case .requestExecutors(let total): answers.append(answer(total))
        default: break
        }
    }

    /// The cluster manager: most requests are taken, and what was asked for comes some time later.
    private mutating func answer(_ total: Int) -> DriverEvent {
        if total < settings.minExecutors || total > settings.maxExecutors {
            problems.append("\(total) executors are asked for")
        }
        let isAccepted = total == wanted || !random.chance(100)
        if total != wanted {
            // A look that lets executors go says the total once more.
            if let last = lastRequest, now - last.at < settings.interval, last != (total, now) {
                problems.append("two requests within \((now - last.at).milliseconds) ms")
            }
            lastRequest = (total, now)
        }
        if total > wanted, isAccepted {
            if let last = lastGrowth, now - last < settings.sustainedBacklogTimeout {
                problems.append("two growths within \((now - last).milliseconds) ms")
            }
            lastGrowth = now
            seen["grown", default: 0] += 1
        }
        if total < wanted { seen["lowered", default: 0] += 1 }
        if isAccepted { wanted = total } else { seen["refused", default: 0] += 1 }
        let there = alive.indices.count { alive[$0] && !isDraining[$0] }
        while coming.count > max(wanted - there, 0) { coming.removeLast() }
        while coming.count < wanted - there {
            coming.append(now + .milliseconds(Int64(random.below(4_000))))
        }
        return .executorRequestAnswered(total: total, isAccepted: isAccepted)
    }

    // MARK: The world

    private mutating func addExecutor() {
        let id = ExecutorID(alive.count)
        alive.append(true)
        isDraining.append(false)
        held.append([])
        handle(.executorRegistered(id, host: "h", cores: settings.tasksPerExecutor))
    }

    private mutating func loseExecutor() {
        guard let id = alive.firstIndex(of: true) else { return }
        alive[id] = false
        held[id] = []
        seen["lost", default: 0] += 1
        // The cluster manager starts another one.
        if !isDraining[id] { coming.append(now + .seconds(1)) }
        handle(.executorLost(ExecutorID(id), ExecutorLoss(reason: "x", causedByApp: false)))
    }

    private mutating func submit() {
        let isShuffled = random.chance(500)
        let counts = isShuffled ? [1 + random.below(20), 1 + random.below(5)] : [random.below(40)]
        let ids = isShuffled ? [shuffles] : []
        if isShuffled { shuffles += 1 }
        running += 1
        handle(.jobSubmitted(Jobs.chain(jobs, counts, shuffles: ids)))
        jobs += 1
    }

    private mutating func release() {
        handle(.shuffleReleased(ShuffleID(released)))
        released += 1
    }

    private mutating func finishSome() {
        let busy = held.indices.filter { !held[$0].isEmpty }
        guard !busy.isEmpty else { return advance(by: .seconds(1)) }
        let id = busy[random.below(busy.count)]
        let task = held[id].removeFirst()
        let count = reducers[task.id] ?? nil
        let end = TaskEnd(
            task: task.id,
            reason: count.map { .mapOutput(BlockSizes([Int](repeating: 1, count: $0))) }
                ?? .result([]), runTime: .milliseconds(1))
        handle(.tasksEnded(ExecutorID(id), [end]))
    }

    private mutating func advance(by duration: Duration) {
        let end = now + duration
        while problems.isEmpty {
            let next = min(timer ?? .distantFuture, coming.min() ?? .distantFuture)
            guard next <= end else { break }
            now = max(now, next)
            if let place = coming.firstIndex(where: { $0 <= now }) {
                coming.remove(at: place)
                addExecutor()
            } else {
                timer = nil
                handle(.timerFired)
            }
        }
        now = end
        let idle = alive.indices.count { alive[$0] && held[$0].isEmpty }
        if idle > wanted, settings.isShuffleTracked { seen["kept for a shuffle", default: 0] += 1 }
    }
}
