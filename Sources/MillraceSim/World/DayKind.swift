import MillraceBase
import MillraceCore

/// What a day is mostly about. Drawn at random, settings and misfortunes are too many for rare
/// paths to be taken often: each of these kinds sets what some of them need, and leaves the rest
/// to chance.
enum DayKind: CaseIterable {
    /// Nothing in particular.
    case ordinary
    /// Attempts of one stage run beside each other: some reads fail, most tasks go on, long and
    /// deaf to kills.
    case overlap
    /// Indeterminate shuffles, read by several jobs one after the other, get lost.
    case rollBack
    /// Slow tasks get copies, and attempts that were told to end go on and ask to commit.
    case copies
    /// Executors freeze, machines go, and the driver hears nothing.
    case silence
    /// Tasks fail again and again in the same places.
    case exclusion

    static func draw(_ random: inout SplitMix64) -> DayKind {
        switch random.below(100) {
        case 0..<20: .overlap
        case 20..<40: .rollBack
        case 40..<60: .copies
        case 60..<67: .silence
        case 67..<75: .exclusion
        default: .ordinary
        }
    }

    // MARK: What it asks for

    func shape(_ random: inout SplitMix64) -> Graph.Shape {
        switch self {
        case .overlap: Graph.Shape(width: 12, scattered: random.pick([0, 300]))
        case .rollBack:
            Graph.Shape(
                width: 3, scattered: 700, shared: 600, joins: 800, recent: 2, isUniform: true)
        case .copies: Graph.Shape(width: 24, scattered: 0)
        case .ordinary, .silence, .exclusion:
            Graph.Shape(
                width: random.pick([1, 3, 6, 12]), scattered: random.pick([0, 0, 300, 700]))
        }
    }

    func set(_ weather: inout Weather, _ plan: inout DayPlan, _ random: inout SplitMix64) {
        switch self {
        case .ordinary: break
        case .overlap: setOverlap(&weather, &plan, &random)
        case .rollBack: setRollBack(&weather, &plan, &random)
        case .copies: setCopies(&weather, &plan, &random)
        case .silence: setSilence(&weather, &plan, &random)
        case .exclusion: setExclusion(&weather, &plan, &random)
        }
    }

    private func setOverlap(
        _ weather: inout Weather, _ plan: inout DayPlan, _ random: inout SplitMix64
    ) {
        weather.flakyFetches = 30
        weather.stragglers = 400
        weather.deafTasks = 1_000
        weather.earlyReaders = 1_000
        weather.exceptions = 0
        weather.networkDelay = .microseconds(100)
        weather.calmAfter = .seconds(2)
        plan.settings.maxConsecutiveStageAttempts = 4
        plan.settings.resubmitDelay = .milliseconds(random.pick([5, 20, 100]))
        if random.chance(600) { makeCopies(&plan) }
        plan.taskTime = .milliseconds(random.pick([1, 3]))
        plan.coresPerExecutor = 3
        plan.executors = 4
    }

    private func setRollBack(
        _ weather: inout Weather, _ plan: inout DayPlan, _ random: inout SplitMix64
    ) {
        weather.faultInterval = .milliseconds(random.pick([10, 40]))
        weather.add(.loseBlocks, 8)
        weather.add(.crashExecutor, 4)
        weather.add(.cancelJob, 6)
        weather.weights[Weather.Fault.releaseShuffle.rawValue] = 0
        weather.weights[Weather.Fault.crashDriver.rawValue] = 0
        weather.weights[Weather.Fault.losePower.rawValue] = 0
        plan.settings.resubmitDelay = .milliseconds(1)
        plan.settings.maxConsecutiveStageAttempts = 4
        plan.jobs = 60
        plan.jobInterval = .milliseconds(random.pick([5, 10, 20]))
        plan.taskTime = .milliseconds(random.pick([1, 3]))
        plan.executors = 3
        plan.replacementDelay = .milliseconds(1)
    }

    private func setCopies(
        _ weather: inout Weather, _ plan: inout DayPlan, _ random: inout SplitMix64
    ) {
        weather.stragglers = 300
        weather.deafTasks = 1_000
        weather.exceptions = random.pick([30, 150, 400])
        weather.faultInterval = .milliseconds(random.pick([4, 10, 20]))
        weather.add(.decommission, 25)
        weather.add(.crashExecutor, 3)
        weather.networkDelay = .milliseconds(random.pick([2, 8, 20]))
        plan.commits = 800
        plan.choosyJobs = 600
        plan.settings.localityWait = .milliseconds(random.pick([0, 20, 3_000]))
        plan.settings.maxTaskFailures = 20
        makeCopies(&plan)
        plan.settings.decommissionTimeout = .milliseconds(random.pick([1, 10, 100]))
        plan.settings.prefetchQueueTime = .milliseconds(50)
        plan.settings.prefetchLimit = random.pick([2, 4, 8])
        plan.hosts = 4
        plan.jobInterval = .microseconds(500)
        plan.executors = random.within(3...5)
        plan.jobs = 20
        plan.coresPerExecutor = 1
        plan.taskTime = .milliseconds(random.pick([1, 5]))
        plan.replacementDelay = .milliseconds(1)
    }

    private func makeCopies(_ plan: inout DayPlan) {
        plan.settings.speculation.isEnabled = true
        plan.settings.speculation.interval = .milliseconds(1)
        plan.settings.speculation.quantile = 0.1
        plan.settings.speculation.multiplier = 1.5
        plan.settings.speculation.minTaskRunTime = .milliseconds(1)
    }

    private func setSilence(
        _ weather: inout Weather, _ plan: inout DayPlan, _ random: inout SplitMix64
    ) {
        weather.add(.freezeExecutor, 10)
        weather.add(.loseHost, 3)
        plan.heartbeatInterval = .milliseconds(random.pick([5, 20]))
        plan.settings.heartbeatTimeout = plan.heartbeatInterval * 3 + weather.networkDelay * 30
        plan.settings.heartbeatCheckInterval = plan.settings.heartbeatTimeout / 2
    }

    private func setExclusion(
        _ weather: inout Weather, _ plan: inout DayPlan, _ random: inout SplitMix64
    ) {
        weather.exceptions = random.pick([150, 400])
        plan.settings.maxTaskFailures = 10
        plan.settings.exclusion.isEnabledForStages = true
        plan.settings.exclusion.isEnabledForApplication = random.chance(500)
        plan.settings.exclusion.timeout = .milliseconds(random.pick([5, 50]))
        plan.hosts = random.within(1...2)
        plan.executors = 5
    }
}
