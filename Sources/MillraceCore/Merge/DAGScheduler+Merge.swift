import MillraceBase

/// Push-based merge: which shuffle services merge the blocks of a shuffle, and when that is over.
///
/// Executors push what their map tasks wrote while others still run. With the last map output the
/// merge is closed: pushes that are under way get some time, then the mergers say what they have,
/// and the readers start. A merger that doesn't answer has nothing; a merge that takes too long
/// ends with what is known. Same rules as Spark's DAGScheduler (SPARK-30602).
extension DAGScheduler {
    /// Before the first attempt of a map stage. Barrier stages and micro-batches don't merge: the
    /// ones run as one, and the others cannot wait.
    mutating func beginMerge(
        _ slot: Int, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        guard let merging = settings.merge,
            case .map(let shuffle, let place) = stages[slot: slot].kind,
            outputs.shuffles[slot: place].merge == nil,
            outputs.shuffles[slot: place].available == 0, !stages[slot: slot].plan.isBarrier
        else { return }
        let job = stages[slot: slot].jobs[0]
        let maps = outputs.shuffles[slot: place].mapCount
        let reducers = outputs.shuffles[slot: place].reducerCount
        guard jobs[slot: jobs.slot(of: job)!].properties.batch == nil, maps > 1, reducers > 0 else {
            return
        }
        let found = executors.mergingHosts(startingAt: shuffle.rawValue)
        let wanted = merging.mergersWanted(reducers, executors)
        let needed = merging.mergersNeeded(wanted)
        guard !found.isEmpty, found.count >= min(wanted, needed) else {
            effects.append(
                .notice(.merge(.tooFewMergers(shuffle, hosts: found.count, needed: needed))))
            return
        }
        // An earlier one was rolled back with the outputs.
        closingMerges.removeAll { $0 == shuffle }
        nextMerge += 1
        outputs.shuffles[slot: place].merge = ShuffleMerge(
            plan: MergePlan(merge: nextMerge, mergers: Array(found.prefix(wanted))), maps: maps,
            reducers: reducers)
    }

    /// The last map output is there. Whether its readers are to wait for the merge.
    mutating func closeMerge(
        _ place: Int, _ now: Instant, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) -> Bool {
        guard let settings = settings.merge, let merge = outputs.shuffles[slot: place].merge else {
            return false
        }
        guard merge.phase == .pushing else { return merge.isPending }
        closingMerges.append(outputs.shuffles[slot: place].id)
        let isWorthWaiting = outputs.size(of: place, reaches: settings.minSizeToWait)
        let limit = isWorthWaiting ? settings.finalizeTimeout : .zero
        outputs.shuffles[slot: place].merge!.phase = .waiting(until: now + limit)
        for status in outputs.shuffles[slot: place].statuses {
            // Complete, so each is there.
            if !executors.isAlive(status!.executor) {
                outputs.shuffles[slot: place].merge!.notePushed(status!.mapIndex)
            }
        }
        finalizeIfPushed(place, now, executors, &effects)
        return true
    }

    mutating func note(
        _ pushed: [PushedOutput], _ now: Instant, _ executors: ExecutorRegistry,
        _ effects: inout Effects
    ) {
        for output in pushed {
            guard let place = outputs.shuffles.slot(of: output.shuffle),
                outputs.shuffles[slot: place].merge?.plan.merge == output.merge,
                outputs.shuffles[slot: place].statuses.indices.contains(output.mapIndex),
                outputs.shuffles[slot: place].statuses[output.mapIndex]?.mapTask == output.mapTask
            else { continue }
            outputs.shuffles[slot: place].merge!.notePushed(output.mapIndex)
            finalizeIfPushed(place, now, executors, &effects)
        }
    }

    /// What it hasn't pushed it never will.
    mutating func pusherLost(
        _ executor: ExecutorID, _ now: Instant, _ executors: ExecutorRegistry,
        _ effects: inout Effects
    ) {
        for shuffle in closingMerges {
            guard let place = outputs.shuffles.slot(of: shuffle) else { continue }
            for case let status? in outputs.shuffles[slot: place].statuses
            where status.executor == executor {
                outputs.shuffles[slot: place].merge?.notePushed(status.mapIndex)
            }
            finalizeIfPushed(place, now, executors, &effects)
        }
    }

    private mutating func finalizeIfPushed(
        _ place: Int, _ now: Instant, _ executors: ExecutorRegistry, _ effects: inout Effects
    ) {
        guard let settings = settings.merge, let merge = outputs.shuffles[slot: place].merge,
            case .waiting(let until) = merge.phase
        else { return }
        let enough = settings.minPushedRatio * Double(merge.isPushed.count)
        guard until <= now || Double(merge.pushed) >= enough else { return }
        outputs.shuffles[slot: place].merge!.phase = .finalizing(
            until: now + settings.resultsTimeout)
        effects.append(
            .finalizeMerge(
                outputs.shuffles[slot: place].id, merge.plan,
                hosts: merge.plan.mergers.map { executors.states[$0.rawValue].host }))
    }

    mutating func note(
        _ answer: MergeAnswer, _ now: Instant, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        guard let place = outputs.shuffles.slot(of: answer.shuffle),
            let known = outputs.shuffles[slot: place].merge, known.plan.merge == answer.merge,
            case .finalizing = known.phase,
            outputs.shuffles[slot: place].merge!.noteAnswer(answer.merger, answer.sizes ?? []),
            outputs.shuffles[slot: place].merge!.isAnswered.allSatisfy({ $0 })
        else { return }
        finishMerge(place, now, &tasks, &effects)
    }

    private mutating func finishMerge(
        _ place: Int, _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        let id = outputs.shuffles[slot: place].id
        closingMerges.removeAll { $0 == id }
        outputs.shuffles[slot: place].merge!.phase = .finished
        outputs.shuffles[slot: place].epoch += 1
        let merge = outputs.shuffles[slot: place].merge!
        effects.append(
            .notice(
                .merge(
                    .finished(
                        id, partitions: merge.bytes.count { $0 > 0 },
                        bytes: merge.bytes.reduce(0, +),
                        unpushed: merge.isPushed.count - merge.pushed,
                        silent: merge.isAnswered.count { !$0 }))))
        // What was lost meanwhile they let compute again.
        startReaders(of: place, now, &tasks, &effects)
    }

    // MARK: Time

    /// When some merge that is being closed is to go on.
    var nextMergeDeadline: Instant? {
        closingMerges.compactMap { outputs.shuffles[$0]?.merge?.deadline }.min()
    }

    mutating func endOverdueMerges(
        _ now: Instant, _ tasks: inout TaskScheduler, _ effects: inout Effects
    ) {
        for shuffle in closingMerges {
            guard let place = outputs.shuffles.slot(of: shuffle),
                let merge = outputs.shuffles[slot: place].merge, let due = merge.deadline
            else {
                // Removed, or rolled back.
                closingMerges.removeAll { $0 == shuffle }
                continue
            }
            guard due <= now else { continue }
            if case .finalizing = merge.phase {
                finishMerge(place, now, &tasks, &effects)
            } else {
                finalizeIfPushed(place, now, tasks.executors, &effects)
            }
        }
    }
}

extension MergeSettings {
    /// As many as would have a core's worth of reducers each, but not more than there are hosts
    /// with executors. (Spark: `getShufflePushMergerLocations`.)
    func mergersWanted(_ reducers: Int, _ executors: ExecutorRegistry) -> Int {
        let cores = max(executors.mostCores, 1)
        let most = max(maxExecutors ?? executors.aliveCount, 1)
        return min(max((reducers + cores - 1) / cores, 1), most)
    }

    func mergersNeeded(_ wanted: Int) -> Int {
        max(minMergers, Int(Double(wanted) * minMergersRatio))
    }
}

extension ExecutorRegistry {
    /// An executor of each host that takes tasks and has a shuffle service; another one is first
    /// for each shuffle.
    func mergingHosts(startingAt turn: Int) -> [ExecutorID] {
        var isFound: [Bool] = []
        var found: [ExecutorID] = []
        for (id, state) in states.enumerated() where state.takesTasks && state.hasShuffleService {
            while isFound.count <= state.hostID { isFound.append(false) }
            guard !isFound[state.hostID] else { continue }
            isFound[state.hostID] = true
            found.append(ExecutorID(id))
        }
        guard !found.isEmpty else { return [] }
        let first = turn % found.count
        return Array(found[first...] + found[..<first])
    }
}

extension MapOutputTracker {
    /// Whether a reader may start: all outputs are there, and nobody merges them any more.
    func isReadable(_ shuffle: ShuffleID) -> Bool {
        guard let slot = shuffles.slot(of: shuffle), shuffles[slot: slot].isComplete else {
            return false
        }
        return !(shuffles[slot: slot].merge?.isPending ?? false)
    }

    /// Looks at no more outputs than it takes.
    func size(of slot: Int, reaches limit: Int) -> Bool {
        var size = 0
        for case let status? in shuffles[slot: slot].statuses {
            if size >= limit { break }
            size += status.sizes.total
        }
        return size >= limit
    }
}
