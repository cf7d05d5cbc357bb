import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceWire
import Synchronization

/// One bad day in the life of a cluster, in one thread, from a seed.
///
/// Real: the driver's core and engine with its sessions, and the wire's codecs in both directions.
/// Simulated: the clock, the network, the executors (`SimulatedExecutor`), and what users ask for
/// (`Graph`). What goes wrong is `Weather`. After each step of the driver the core's invariants are
/// checked; every result is compared with what one thread computes. `Problem`s end the day.
public final class Simulation {
    /// How a day went.
    public struct Outcome: Sendable {
        public var seed: UInt64
        /// What happened, in events.
        public var steps = 0
        public var jobs = 0
        public var succeededJobs = 0
        public var duration = Duration.zero
        /// What should not have happened, in words; nil when all is well.
        public var problem: String?
    }

    let seed: UInt64
    var outcome: Outcome
    let trace: ((String) -> Void)?

    // Chance, one stream for each use, so that a change in one leaves the others as they were.
    var faultChance: SplitMix64
    var netChance: SplitMix64
    var taskChance: SplitMix64
    var workChance: SplitMix64

    let weather: Weather
    let plan: DayPlan
    var now = Instant.zero
    var queue = EventQueue()
    var network: Network
    var isCalm = false
    /// Misfortunes so far, to tell whether a job had any.
    var misfortunes = 0

    // The driver.
    var engine: DriverEngine
    let arena = WireArena()
    var incarnation = 0
    var isDriverUp = false
    var isTurnEndDue = false

    var backend = Backend(wanted: 0, limit: 0)
    var executors: [SimulatedExecutor] = []
    /// By host, how many times slower it is.
    var slowness: [Int]

    // The application.
    var graph: Graph
    var jobs: [SimulatedJob] = []
    /// Of those that the day's plan asks for.
    var submittedJobs = 0
    var queries: [SimulatedQuery] = []
    /// Starts of queries so far.
    var runs = 0
    let files = SimulatedFileSystem()
    var sink = CommittedFiles()
    var ledger = Ledger()
    var barriers = BarrierWatch()
    var ending = Ending.day

    /// How far the day is.
    enum Ending: Equatable {
        /// Jobs are submitted and run.
        case day
        /// All have ended and the weather is calm: this job must succeed. So many have failed.
        case proof(job: Int, failed: Int)
        /// Nothing is needed any more; what is on its way arrives.
        case dusk
        case night
    }

    /// Simulated events after which a day is taken to hang.
    static let stepLimit = 200_000

    public init(seed: UInt64, canary: Canary? = nil, trace: ((String) -> Void)? = nil) {
        self.seed = seed
        self.trace = trace
        outcome = Outcome(seed: seed)
        var random = SplitMix64(seed: seed)
        faultChance = SplitMix64(seed: seed, stream: 1)
        netChance = SplitMix64(seed: seed, stream: 2)
        taskChance = SplitMix64(seed: seed, stream: 3)
        workChance = SplitMix64(seed: seed, stream: 4)
        var weather = Weather(&random)
        var plan = DayPlan(&random, weather, canary: canary)
        let kind = DayKind.draw(&random)
        kind.set(&weather, &plan, &random)
        plan.settleAllocation()
        graph = Graph(&random, kind.shape(&random))
        if random.chance(150) { plan.limitResults(of: &graph, &random) }
        var barrierChance = SplitMix64(seed: seed, stream: 6)
        if barrierChance.chance(kind == .ordinary ? 900 : 300) {
            plan.drawBarriers(&barrierChance)
            let share = barrierChance.pick([300, 900])
            barriers.isWatching = graph.drawBarriers(
                &barrierChance, chance: share, slots: plan.slots)
        }
        self.weather = weather
        self.plan = plan
        for number in 0..<plan.queries {
            queries.append(SimulatedQuery(number: number, &random))
        }
        misfortunes = plan.limitsResults ? 1 : 0
        let diskChance = SplitMix64(seed: seed, stream: 5)
        files.state.withLock { $0.chance = diskChance }
        network = Network(hosts: plan.hosts + 1, delay: weather.networkDelay)
        slowness = [Int](repeating: 1, count: plan.hosts + 1)
        engine = Self.unused
        engine = newEngine()
    }

    /// When the driver wants its timer.
    var armed: Instant?

    /// Lives through the day.
    public func run() -> Outcome {
        startDriver()
        for query in queries { schedule(.dataArrival(query: query.number), after: .zero) }
        schedule(.calm, after: weather.calmAfter)
        scheduleFault()
        while outcome.problem == nil, ending != .night, let (time, event) = queue.popFirst() {
            now = time
            outcome.steps += 1
            happen(event)
            buryTheDead()
            moveOn()
            if outcome.steps > Simulation.stepLimit { fail("the day does not end") }
        }
        outcome.duration = now - .zero
        outcome.jobs = jobs.count
        engine.observe = nil
        engine.armTimer = { _ in }
        engine.dismissed = { _, _ in }
        engine.requested = { _ in false }
        engine.released = { _, _ in }
        return outcome
    }

    /// The only switch: a table of contents.
    func happen(_ event: Happening) {
        if isHeldBack(event) { return }
        switch event {
        case .nothing: break
        case .arrival(let connection, let side, let bytes): arrive(connection, side, bytes)
        case .announcement(let executor, let bytes): hear(bytes, on: executors[executor])
        case .connectionEnd(let connection, let side): endConnection(connection, at: side)
        case .givingUp(let connection, let side): giveUp(connection, at: side)
        case .driverTimer(let incarnation): fireTimer(incarnation)
        case .turnEnd(let incarnation): endTurn(incarnation)
        case .driverStart(let incarnation): if incarnation == self.incarnation { startDriver() }
        case .jobSubmission(let incarnation): submitJob(incarnation)
        case .shuffleRelease(let shuffle, let incarnation): release(shuffle, incarnation)
        case .queryStart(let query, let incarnation): startQuery(query, incarnation)
        case .query(let query, let run, let event): happen(to: query, run, event)
        case .logWrite(let query, let run): writeLog(query, run)
        case .sinkCommit(let query, let run, let batch): commitSink(query, run, batch)
        case .dataArrival(let query): addData(query)
        case .refill(let incarnation):
            if incarnation == self.incarnation { fill(after: plan.replacementDelay) }
        case .executorStart(let incarnation): startExecutor(incarnation)
        case .heartbeat(let executor): beat(executors[executor])
        case .exit(let executor): exit(executors[executor], "it was decommissioned")
        case .taskEnd(let executor, let task): endTask(task, on: executors[executor])
        case .adoption(let executor, let move): endAdoption(move, on: executors[executor])
        case .report(let executor): report(executors[executor])
        case .fault: strike()
        case .repair(let trouble): repair(trouble)
        case .calm: calmDown()
        case .nightfall: nightfall()
        case .deadline: checkProgress()
        }
    }

    func schedule(_ event: Happening, after delay: Duration) {
        queue.insert(event, at: now + delay)
    }

    func note(_ line: @autoclosure () -> String) {
        guard let trace else { return }
        let microseconds = now.nanoseconds / 1_000
        let millis = String(microseconds / 1_000)
        let fraction = String(microseconds % 1_000 + 1_000).dropFirst()
        trace("\(millis).\(fraction) ms  \(line())")
    }

    func fail(_ problem: String) {
        if outcome.problem == nil {
            outcome.problem = problem
            note("PROBLEM: \(problem)")
        }
    }
}
