import MillraceBase

/// One batch at work under a grant: what's known of its tasks.
///
/// A task is *parked* until all map outputs that it reads are reported, *runnable* until its end is
/// reported, then *done*; or *refused*: it failed, which is the end of the grant, or it ended after
/// that. The executors know sooner than the driver what is runnable; here it decides who counts as
/// busy.
struct GrantedRun: Sendable {
    enum TaskState: UInt8, Sendable { case parked, runnable, done, refused }

    let query: QueryID
    let grant: Grant
    let job: JobDescription
    let shuffles: [ShuffleID]
    let firstStage: StageID
    let firstTask: TaskID
    let begun: Instant
    /// Expected run time of a task, by stage, as it was counted.
    let estimates: [Int64]
    /// When to see whether something got lost on the way.
    var checkAt: Instant

    /// By task.
    private(set) var states: [TaskState]
    private(set) var sizes: [BlockSizes?]
    /// By stage.
    private(set) var firstTasks: [Int] = []
    private(set) var unfinished: [Int] = []
    private(set) var longest: [Duration]
    /// Stages whose executors were told where their inputs are.
    private var repaired: [Bool]
    private(set) var remaining: Int
    /// Of the tasks that are done, together.
    private(set) var runTime = Duration.zero
    var results = ResultSize()
    /// Of tasks that read outputs whose own tasks' ends are still to be reported.
    var earlyEnds: [TaskEnd] = []

    init(
        query: QueryID, grant: Grant, job: JobDescription, shuffles: [ShuffleID],
        firstStage: StageID, firstTask: TaskID, begun: Instant, estimates: [Int64],
        checkAt: Instant
    ) {
        self.query = query
        self.grant = grant
        self.job = job
        self.shuffles = shuffles
        self.firstStage = firstStage
        self.firstTask = firstTask
        self.begun = begun
        self.estimates = estimates
        self.checkAt = checkAt
        let count = grant.taskCount
        states = [TaskState](repeating: .parked, count: count)
        sizes = [BlockSizes?](repeating: nil, count: count)
        longest = [Duration](repeating: .zero, count: grant.stages.count)
        repaired = [Bool](repeating: false, count: grant.stages.count)
        remaining = count
        var first = 0
        for stage in grant.stages {
            firstTasks.append(first)
            unfinished.append(stage.executors.count)
            first += stage.executors.count
        }
    }

    var resultStage: Int { grant.stages.count - 1 }

    /// What a task of the stage was counted with, if it was runnable.
    func work(of stage: Int, _ state: TaskState) -> Int64? {
        state == .runnable ? estimates[stage] : nil
    }

    func contains(_ task: TaskID) -> Bool {
        task >= firstTask && task.rawValue < firstTask.rawValue + states.count
    }

    /// The stage of a task of this batch.
    func stage(of task: TaskID) -> Int {
        firstTasks.lastIndex { $0 <= task.rawValue - firstTask.rawValue }!
    }

    func index(_ stage: Int, _ partition: Int) -> Int { firstTasks[stage] + partition }
    func executor(_ stage: Int, _ partition: Int) -> ExecutorID {
        grant.stages[stage].executors[partition]
    }
    func isDone(_ stage: Int, _ partition: Int) -> Bool {
        states[index(stage, partition)] == .done
    }
    func hasEnded(_ stage: Int, _ partition: Int) -> Bool {
        let state = states[index(stage, partition)]
        return state == .done || state == .refused
    }
    /// Partition of a task of that stage.
    func partition(of task: TaskID, _ stage: Int) -> Int {
        task.rawValue - firstTask.rawValue - firstTasks[stage]
    }

    /// Whether all that the stage reads is reported.
    func hasInputs(_ stage: Int) -> Bool {
        grant.stages[stage].parents.allSatisfy { unfinished[$0] == 0 }
    }

    mutating func start(_ stage: Int, _ partition: Int) {
        states[index(stage, partition)] = .runnable
    }

    /// Its end doesn't count. Returns the state before.
    mutating func refuse(_ stage: Int, _ partition: Int) -> TaskState {
        let index = index(stage, partition)
        let before = states[index]
        if before != .done { states[index] = .refused }
        return before
    }

    /// Whether a task's end is still to be reported.
    var isWaiting: Bool { states.contains { $0 == .parked || $0 == .runnable } }

    /// Returns the state before.
    mutating func finish(_ stage: Int, _ partition: Int, _ end: TaskEnd) -> TaskState {
        let index = index(stage, partition)
        let before = states[index]
        precondition(before == .parked || before == .runnable, "a task ends once")
        states[index] = .done
        if case .mapOutput(let output) = end.reason { sizes[index] = output }
        unfinished[stage] -= 1
        remaining -= 1
        longest[stage] = max(longest[stage], end.runTime)
        runTime += end.runTime
        return before
    }

    /// The map output of a stage's partition, once it's reported.
    func status(_ stage: Int, _ partition: Int) -> MapStatus? {
        guard let sizes = sizes[index(stage, partition)] else { return nil }
        return MapStatus(
            executor: executor(stage, partition),
            mapTask: TaskID(firstTask.rawValue + index(stage, partition)), mapIndex: partition,
            sizes: sizes)
    }

    func outputs(_ stage: Int) -> MapOutputs {
        MapOutputs(
            shuffle: shuffles[stage], epoch: 1,
            statuses: grant.stages[stage].executors.indices.map { status(stage, $0) })
    }

    /// Stages that have all their inputs and still aren't done: their executors may have missed a
    /// `MapOutputReady`. Each once.
    mutating func takeOverdue() -> [Int] {
        var overdue: [Int] = []
        for stage in grant.stages.indices
        where !grant.stages[stage].parents.isEmpty && !repaired[stage] && unfinished[stage] > 0
            && hasInputs(stage)
        {
            repaired[stage] = true
            overdue.append(stage)
        }
        return overdue
    }

    /// What the batch would have taken if only tasks took time.
    var work: Duration { longest.reduce(.zero, +) }
}
