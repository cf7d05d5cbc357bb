import MillraceBase

/// How far the merge of one shuffle's blocks is.
///
/// Nothing depends on it but where reduce tasks read: what isn't merged, for whatever reason, is
/// read from the map outputs.
struct ShuffleMerge: Sendable {
    enum Phase: Hashable, Sendable {
        /// Map outputs are made and pushed. From here: `waiting` or `finalizing` with the last one.
        case pushing
        /// All outputs are there, and some are not pushed yet. Then `finalizing`.
        case waiting(until: Instant)
        /// The mergers are asked what they have. Then `finished`.
        case finalizing(until: Instant)
        /// Readers may start.
        case finished
    }

    let plan: MergePlan
    var phase = Phase.pushing
    /// By map index: nothing more of it will be pushed.
    var isPushed: [Bool]
    var pushed = 0
    /// By merger.
    var isAnswered: [Bool]
    /// Merged bytes by reduce partition.
    var bytes: [Int]

    init(plan: MergePlan, maps: Int, reducers: Int) {
        self.plan = plan
        isPushed = [Bool](repeating: false, count: maps)
        isAnswered = [Bool](repeating: false, count: plan.mergers.count)
        bytes = [Int](repeating: 0, count: reducers)
    }

    /// Whether readers are to wait for it.
    var isPending: Bool { deadline != nil }

    /// When it goes on at the latest.
    var deadline: Instant? {
        switch phase {
        case .waiting(let until), .finalizing(let until): until
        case .pushing, .finished: nil
        }
    }

    /// For executors that will read; nil until it's finished, and when nothing is merged.
    var outputs: MergedOutputs? {
        guard phase == .finished, bytes.contains(where: { $0 > 0 }) else { return nil }
        return MergedOutputs(plan: plan, sizes: BlockSizes(bytes))
    }

    mutating func notePushed(_ map: Int) {
        guard !isPushed[map] else { return }
        isPushed[map] = true
        pushed += 1
    }

    /// False when it isn't one of the mergers, or has answered.
    mutating func noteAnswer(_ merger: ExecutorID, _ sizes: [MergedSize]) -> Bool {
        guard let place = plan.mergers.firstIndex(of: merger), !isAnswered[place] else {
            return false
        }
        isAnswered[place] = true
        for size in sizes where bytes.indices.contains(size.reduce) && size.bytes > 0 {
            guard plan.merger(of: size.reduce, reducers: bytes.count) == merger else { continue }
            bytes[size.reduce] = size.bytes
        }
        return true
    }
}

/// What became of a merge, for the log.
public enum MergeNotice: Hashable, Sendable, CustomStringConvertible {
    /// There are fewer hosts that could than there should be.
    case tooFewMergers(ShuffleID, hosts: Int, needed: Int)
    case finished(ShuffleID, partitions: Int, bytes: Int, unpushed: Int, silent: Int)

    var level: LogLevel {
        switch self {
        case .tooFewMergers: .debug
        case .finished(_, _, _, _, let silent): silent > 0 ? .warn : .info
        }
    }

    public var description: String {
        switch self {
        case .tooFewMergers(let shuffle, let hosts, let needed):
            "\(shuffle) is not merged: \(hosts) hosts could, it takes \(needed)"
        case .finished(let shuffle, let partitions, let bytes, let unpushed, let silent):
            "\(bytes) bytes of \(shuffle) are merged in \(partitions) partitions"
                + (unpushed > 0 ? ", \(unpushed) map outputs were not pushed in time" : "")
                + (silent > 0 ? ", \(silent) mergers do not answer" : "")
        }
    }
}
