import MillraceBase

/// Where the map outputs of every live shuffle lie, and who still needs them.
///
/// A shuffle is known from the first job that names it until it's released and no running job uses
/// it. Its map stage exists only while a running job needs it; its outputs outlive the stage, which
/// is what lets a later job skip it. Always true: `available` counts the statuses that are there.
struct MapOutputTracker: Sendable {
    /// One shuffle.
    struct Shuffle: Sendable, SlabElement {
        let id: ShuffleID
        let mapCount: Int
        let reducerCount: Int
        var statuses: [MapStatus?]
        /// By map index, where `index` lists an output that is there.
        var places: [Int32]
        var available = 0
        var epoch: UInt64 = 1
        /// The stage that computes the outputs, while a running job needs it.
        var mapStage: StageID?
        /// Stages of running jobs that read the outputs, oldest first.
        var readers: [StageID] = []
        /// Jobs that name it and wait for slots: it is theirs although they have no stages yet.
        var waitingJobs = 0
        var isReleased = false
        /// Which of its values this is; another one after all outputs were forgotten together.
        var generation: Int
        /// For an indeterminate one, the generations of the shuffles that it's computed from.
        var sources: [Int] = []
        /// It was complete in this generation, so somebody may have read it.
        var isExposed = false
        /// What its map tasks' accumulator updates belong to; set with its first stage.
        var origin: StageOrigin?
        /// Of its blocks by shuffle services; nil when nobody was asked to.
        var merge: ShuffleMerge?

        var isComplete: Bool { available == mapCount }
        var isUnused: Bool { mapStage == nil && readers.isEmpty && waitingJobs == 0 }

        mutating func vacate() {
            statuses = []
            places = []
            readers = []
            sources = []
            merge = nil
        }
    }

    /// Outputs of one shuffle that went with an executor.
    struct Loss: Sendable {
        var shuffle: ShuffleID
        var mapStage: StageID?
        var mapIndexes: [Int]
    }

    var shuffles = IdentifierMap<ShuffleID, Shuffle>()
    private var nextGeneration = 0
    /// Lists every status that is there under its executor.
    private(set) var index = OutputIndex()

    func outputs(of shuffle: ShuffleID) -> MapOutputs? {
        guard let slot = shuffles.slot(of: shuffle) else { return nil }
        return MapOutputs(
            shuffle: shuffle, epoch: shuffles[slot: slot].epoch,
            statuses: shuffles[slot: slot].statuses, merged: shuffles[slot: slot].merge?.outputs)
    }

    func epoch(of shuffle: ShuffleID) -> UInt64? {
        shuffles.slot(of: shuffle).map { shuffles[slot: $0].epoch }
    }

    func isComplete(_ shuffle: ShuffleID) -> Bool {
        guard let slot = shuffles.slot(of: shuffle) else { return false }
        return shuffles[slot: slot].isComplete
    }

    /// Makes the shuffle known, or finds it again.
    mutating func register(_ shuffle: ShuffleID, mapCount: Int, reducerCount: Int) -> Int {
        if let slot = shuffles.slot(of: shuffle) { return slot }
        nextGeneration += 1
        return shuffles.insert(
            Shuffle(
                id: shuffle, mapCount: mapCount, reducerCount: reducerCount,
                statuses: [MapStatus?](repeating: nil, count: mapCount),
                places: [Int32](repeating: -1, count: mapCount), generation: nextGeneration),
            for: shuffle)
    }

    /// Keeps the first status of a map index: a second attempt's output is as good, and replacing
    /// would only make the executors' copies stale. Returns whether it was kept.
    mutating func add(_ status: MapStatus, to slot: Int) -> Bool {
        guard shuffles[slot: slot].statuses[status.mapIndex] == nil else { return false }
        shuffles[slot: slot].statuses[status.mapIndex] = status
        shuffles[slot: slot].places[status.mapIndex] = index.insert(
            status.executor, shuffle: slot, mapIndex: status.mapIndex)
        shuffles[slot: slot].available += 1
        shuffles[slot: slot].epoch += 1
        return true
    }

    /// Forgets the outputs that lie on an executor, over all shuffles. With `before`, only outputs
    /// of tasks that were launched before that task: what it complained about can't be younger than
    /// itself. (Spark compares epochs.)
    mutating func removeOutputs(on executor: ExecutorID, before: TaskID? = nil) -> [Loss] {
        var losses: [Loss] = []
        var latest: Int32 = -1
        for entry in index.entries(of: executor) {
            let (slot, mapIndex) = (Int(entry.shuffle), Int(entry.mapIndex))
            if let before, shuffles[slot: slot].statuses[mapIndex]!.mapTask > before {
                codeProbe(.youngerOutputsKept)
                continue
            }
            remove(slot, mapIndex)
            if entry.shuffle != latest {
                latest = entry.shuffle
                losses.append(
                    Loss(
                        shuffle: shuffles[slot: slot].id, mapStage: shuffles[slot: slot].mapStage,
                        mapIndexes: []))
            }
            losses[losses.count - 1].mapIndexes.append(mapIndex)
        }
        return losses
    }

    /// Forgets all outputs of a shuffle: its next ones needn't fit them.
    mutating func removeAll(of slot: Int) {
        for mapIndex in 0..<shuffles[slot: slot].mapCount
        where shuffles[slot: slot].statuses[mapIndex] != nil {
            remove(slot, mapIndex)
        }
        nextGeneration += 1
        shuffles[slot: slot].generation = nextGeneration
        shuffles[slot: slot].sources = []
        shuffles[slot: slot].isExposed = false
        shuffles[slot: slot].merge = nil
    }

    private mutating func remove(_ slot: Int, _ mapIndex: Int) {
        index.remove(shuffles[slot: slot].places[mapIndex])
        shuffles[slot: slot].statuses[mapIndex] = nil
        shuffles[slot: slot].available -= 1
        shuffles[slot: slot].epoch += 1
    }

    /// The output is now at another executor. False when it isn't where it was any more.
    mutating func move(_ move: OutputMove) -> Bool {
        guard has(move), let slot = shuffles.slot(of: move.shuffle) else { return false }
        index.remove(shuffles[slot: slot].places[move.mapIndex])
        shuffles[slot: slot].statuses[move.mapIndex]!.executor = move.to
        shuffles[slot: slot].places[move.mapIndex] = index.insert(
            move.to, shuffle: slot, mapIndex: move.mapIndex)
        shuffles[slot: slot].epoch += 1
        return true
    }

    /// Forgets the shuffle.
    mutating func remove(_ shuffle: ShuffleID) {
        guard let slot = shuffles.slot(of: shuffle) else { return }
        for mapIndex in 0..<shuffles[slot: slot].mapCount
        where shuffles[slot: slot].statuses[mapIndex] != nil {
            index.remove(shuffles[slot: slot].places[mapIndex])
        }
        shuffles.remove(shuffle)
    }
}
