import MillraceBase

@testable import MillraceCore

/// What accumulators must be after any life: what one run of each task, in order and without a
/// failure, makes them.
///
/// Every result partition adds its own bit to the accumulator of its job, every map partition to
/// that of its shuffle: a sum with as many bits as numbers were added has no partition twice, and a
/// full one has them all.
struct AccumulatedModel {
    /// Accumulators of shuffles are numbered from here, those of jobs from 0.
    static let firstShuffle = 1_000

    private var table = AccumulatorTable()
    private var jobShuffles: [JobID: Set<ShuffleID>] = [:]
    private var mapCounts: [ShuffleID: Int] = [:]
    private var isRegistered: Set<AccumulatorID> = []

    private static func id(_ setup: StageSetup) -> AccumulatorID {
        if let shuffle = setup.outputShuffle {
            return AccumulatorID(firstShuffle + shuffle.rawValue)
        }
        return AccumulatorID(setup.job.rawValue)
    }

    static func updates(
        _ setup: StageSetup, _ task: TaskDescription, _ reason: TaskEndReason
    ) -> [AccumulatorUpdate] {
        switch reason {
        case .result, .mapOutput:
            let bit = Int64(1) << Int64(task.partition)
            return [AccumulatorUpdate(id: id(setup), value: .long(sum: bit, count: 1))]
        default: return []
        }
    }

    mutating func launched(_ setup: StageSetup, reading outputs: [MapOutputs]) {
        let id = Self.id(setup)
        if isRegistered.insert(id).inserted { table.register(id) }
        for shuffle in outputs {
            jobShuffles[setup.job, default: []].insert(shuffle.shuffle)
            mapCounts[shuffle.shuffle] = shuffle.statuses.count
        }
    }

    mutating func apply(_ change: AccumulatorChange) { table.apply(change) }

    /// A job has all its results: each of its partitions has counted once, and so has each map
    /// partition that they were computed from.
    func check(_ job: JobID, units: Int) -> [String] {
        var problems: [String] = []
        let (bits, count) = value(AccumulatorID(job.rawValue))
        if bits.nonzeroBitCount != count || count != units {
            problems.append("\(job) counted \(count) of \(units) results as \(bits)")
        }
        for shuffle in jobShuffles[job, default: []] {
            let (bits, count) = value(AccumulatorID(Self.firstShuffle + shuffle.rawValue))
            if bits.nonzeroBitCount != count || count != mapCounts[shuffle] {
                problems.append("\(shuffle) counted \(count) map outputs as \(bits)")
            }
        }
        return problems
    }

    /// With what runs, nothing counts twice either.
    func checkPartials() -> [String] {
        isRegistered.compactMap { id in
            let (bits, count) = value(id, withPartials: true)
            return bits.nonzeroBitCount == count ? nil : "\(id) with what runs is \(bits)"
        }
    }

    /// At the end only shuffles that were not released can change.
    func leftOver(shuffles: Int) -> [String] {
        table.liveOrigins <= shuffles
            ? [] : ["\(table.liveOrigins) origins live with \(shuffles) shuffles"]
    }

    private func value(
        _ id: AccumulatorID, withPartials: Bool = false
    ) -> (bits: Int64, count: Int) {
        guard case .long(let sum, let count) = table.total(id, withPartials: withPartials) else {
            return (0, 0)
        }
        return (sum, Int(count))
    }
}
