import MillraceBase
import MillraceCore

/// A grant on one of its executors: what runs here, and of the batch at work what has arrived and
/// who waits for it.
///
/// A batch ends when the next one begins: the driver asks for the next when all tasks of the one
/// before have ended. Values only; `ExecutorRuntime` runs what becomes ready.
package struct ResidentGrant: Sendable {
    let grant: Grant
    let executor: ExecutorID
    /// By stage, the partitions that run here.
    private let own: [[Int]]
    /// By stage, who reads it; nil for the last.
    private let readers: [Int?]
    private(set) var batch: Batch?

    struct Batch: Sendable {
        let granted: GrantedBatch
        /// By stage but for the last.
        fileprivate(set) var inputs: [GrantedInputs]
        /// By stage, the tasks that wait for outputs.
        fileprivate(set) var parked: [[QueuedTask]]
        /// Bytes of blocks that it may still keep.
        fileprivate var room = InlineBlocks.budget

        fileprivate mutating func take(_ ready: MapOutputReady, _ stage: Int, reducers: Int) -> Bool
        {
            inputs[stage].take(ready, reducers: reducers, room: &room)
        }
    }

    /// What may run now, and what those tasks read.
    package struct Ready: Sendable {
        package var tasks: [QueuedTask] = []
        package var inputs: [GrantedInputs] = []
    }

    init(_ grant: Grant, on executor: ExecutorID) {
        self.grant = grant
        self.executor = executor
        own = grant.stages.map { stage in
            stage.executors.indices.filter { stage.executors[$0] == executor }
        }
        readers = grant.stages.indices.map { stage in
            grant.stages.firstIndex { $0.parents.contains(stage) }
        }
    }

    // MARK: A batch begins

    /// Puts the batch's tasks where they belong: those that read no shuffle are ready, the others
    /// are parked. Throws `PlanError` when the batch isn't one of this grant.
    mutating func begin(_ granted: GrantedBatch, plans: ResidentPlans) throws(PlanError) -> Ready {
        let count = own.reduce(0) { $0 + $1.count }
        guard granted.shuffles.count == grant.stages.count - 1,
            granted.inputs.isEmpty || granted.inputs.count == count
        else { throw PlanError("a batch of \(granted.job) that doesn't fit \(grant.id)") }
        var batch = Batch(
            granted: granted,
            inputs: granted.shuffles.enumerated().map {
                GrantedInputs($1, maps: grant.stages[$0].executors.count)
            },
            parked: grant.stages.map { _ in [] })
        var ready = Ready()
        var firstTask = granted.firstTask.rawValue
        var input = 0
        for (place, stage) in grant.stages.enumerated() {
            let resident = resident(place, granted, plans)
            let tasks = own[place].map { partition in
                defer { input += 1 }
                return QueuedTask(
                    task: TaskDescription(
                        id: TaskID(firstTask + partition), stage: resident.setup.stage,
                        stageAttempt: 0, partition: partition, attempt: 0,
                        input: granted.inputs.isEmpty ? [] : granted.inputs[input][...]),
                    stage: resident)
            }
            if stage.parents.isEmpty { ready.tasks += tasks } else { batch.parked[place] = tasks }
            firstTask += stage.executors.count
        }
        self.batch = batch
        return ready
    }

    private func resident(
        _ place: Int, _ granted: GrantedBatch, _ plans: ResidentPlans
    ) -> ResidentStage {
        let stage = grant.stages[place]
        let output = readers[place] == nil ? nil : granted.shuffles[place]
        return ResidentStage(
            setup: StageSetup(
                stage: StageID(granted.firstStage.rawValue + place), attempt: 0, plan: stage.plan,
                inputShuffles: stage.parents.map { granted.shuffles[$0] }, outputShuffle: output,
                reducerCount: stage.reducerCount, job: granted.job, query: grant.query,
                batch: granted.batch, localProperties: grant.localProperties),
            plans: plans, readers: readers[place].map { GrantedReaders(grant, $0) })
    }

    /// The tasks of the batch at work, everywhere.
    var tasks: Range<Int> {
        let first = batch?.granted.firstTask.rawValue ?? 0
        return first..<(first + (batch == nil ? 0 : grant.taskCount))
    }

    // MARK: Outputs arrive

    /// Nil when it's for another batch than the one at work.
    mutating func take(_ ready: MapOutputReady) -> Ready? {
        guard let stage = batch?.granted.shuffles.firstIndex(of: ready.shuffle),
            let reader = readers[stage]
        else { return nil }
        let reducers = grant.stages[reader].executors.count
        guard batch!.take(ready, stage, reducers: reducers) else { return Ready() }
        return release(reader)
    }

    /// The stage's tasks, if nothing is missing any more.
    private mutating func release(_ stage: Int) -> Ready {
        let parents = grant.stages[stage].parents
        guard parents.allSatisfy({ batch!.inputs[$0].missing == 0 }) else { return Ready() }
        var ready = Ready()
        swap(&ready.tasks, &batch!.parked[stage])
        if !ready.tasks.isEmpty { ready.inputs = parents.map { batch!.inputs[$0] } }
        return ready
    }

    // MARK: The end

    /// What waits here, to be dropped.
    mutating func takeParked() -> [QueuedTask] {
        let parked = batch?.parked.flatMap { $0 } ?? []
        if batch != nil { batch!.parked = grant.stages.map { _ in [] } }
        return parked
    }
}

/// Who reads a map stage under a grant.
package struct GrantedReaders: Sendable {
    package let grant: GrantID
    /// By reduce partition.
    let executors: [ExecutorID]

    init(_ grant: Grant, _ reader: Int) {
        self.grant = grant.id
        executors = grant.stages[reader].executors
    }

    /// Each once, in the order of their first partition.
    package var places: [(executor: ExecutorID, reducers: [Int])] {
        var places: [(executor: ExecutorID, reducers: [Int])] = []
        for (reduce, executor) in executors.enumerated() {
            if let place = places.firstIndex(where: { $0.executor == executor }) {
                places[place].reducers.append(reduce)
            } else {
                places.append((executor, [reduce]))
            }
        }
        return places
    }
}
