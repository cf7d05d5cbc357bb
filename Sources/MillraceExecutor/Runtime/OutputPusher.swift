import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire
import Synchronization

/// Pushes the small blocks of map outputs to the shuffle services that merge them, behind the backs
/// of the tasks: on a thread of its own, one batch at a time, and never twice.
///
/// A service that refuses or doesn't answer gets nothing more of the shuffle; what isn't pushed is
/// read from the map output. Whatever comes of it, the driver hears of each output once that it's
/// over. Spark: ShuffleBlockPusher.
final class OutputPusher: Sendable {
    /// A map output and who merges it.
    struct Work: Sendable {
        var shuffle: ShuffleID
        var mapIndex: Int
        var mapTask: TaskID
        var plan: MergePlan
    }

    private struct Merge {
        var id: Int
        /// Nothing more of it is wanted anywhere.
        var isClosed = false
        /// These don't take blocks, or don't answer.
        var broken: Set<ExecutorID> = []
    }

    private let store: MapOutputStore
    private let settings: PushSettings
    private let report: @Sendable (ExecutorReport) -> Void
    private let thread = BackgroundThread("outputs-push")
    private let merger = SetOnce<any PushMerger>()
    private let merges = Mutex<[ShuffleID: Merge]>([:])

    init(
        store: MapOutputStore, settings: PushSettings,
        report: @escaping @Sendable (ExecutorReport) -> Void
    ) {
        self.store = store
        self.settings = settings
        self.report = report
    }

    /// Before the first task.
    func connect(_ merger: any PushMerger) { self.merger.set(merger) }
    /// nil where nobody merges.
    var connected: (any PushMerger)? { merger.value }
    var minChunkSize: Int { settings.minChunkSize }

    func stop() { thread.stop() }

    /// Returns at once.
    func push(_ work: Work) { thread.perform { [self] in perform(work) } }

    /// Pushes what there is to push, and says so.
    func perform(_ work: Work) {
        if let merger = merger.value { push(work, to: merger) }
        report(
            .outputPushed(
                PushedOutput(
                    shuffle: work.shuffle, merge: work.plan.merge, mapIndex: work.mapIndex,
                    mapTask: work.mapTask)))
    }

    func forget(_ shuffles: [ShuffleID]) {
        merges.withLock { merges in
            for shuffle in shuffles { merges[shuffle] = nil }
        }
    }

    private func push(_ work: Work, to mergers: any PushMerger) {
        guard let file = store.file(shuffle: work.shuffle, task: work.mapTask) else { return }
        var batches = PushBatch.cut(file.segments, settings, work.plan)
        // Each map begins elsewhere, so that they don't all push to the same service at a time.
        var random = SplitMix64(seed: UInt64(work.mapTask.rawValue))
        batches.shuffle(using: &random)
        for batch in batches where accepts(work, batch.merger) {
            do {
                guard let bytes = try batch.read(from: file, of: work) else { continue }
                let answer = try mergers.push(bytes, to: batch.merger).wait()
                guard answer.first?.first == PushedBlocks.Answer.merged.rawValue else {
                    close(work)
                    break
                }
            } catch {
                Log.warn(
                    "executor", "pushing no more blocks of a shuffle to a service",
                    [
                        "shuffle": work.shuffle, "on the host of": batch.merger.rawValue,
                        "reason": error,
                    ])
                breakOff(work, batch.merger)
            }
        }
    }

    // MARK: Who is pushed to

    /// Whether the merger of this work's merge, or the merge as a whole, is given up.
    func accepts(_ shuffle: ShuffleID, _ merge: Int, _ merger: ExecutorID) -> Bool {
        merges.withLock { merges in
            guard let known = merges[shuffle], known.id == merge else { return true }
            return !known.broken.contains(merger)
        }
    }

    private func accepts(_ work: Work, _ merger: ExecutorID) -> Bool {
        merges.withLock { merges in
            guard let known = merges[work.shuffle] else { return true }
            if known.id != work.plan.merge { return known.id < work.plan.merge }
            return !known.isClosed && !known.broken.contains(merger)
        }
    }

    private func close(_ work: Work) {
        change(work.shuffle, work.plan.merge) { $0.isClosed = true }
    }

    private func breakOff(_ work: Work, _ merger: ExecutorID) {
        giveUp(merger, work.shuffle, work.plan.merge)
    }

    /// It is neither pushed to nor read from any more, for this merge.
    func giveUp(_ merger: ExecutorID, _ shuffle: ShuffleID, _ merge: Int) {
        change(shuffle, merge) { $0.broken.insert(merger) }
    }

    private func change(_ shuffle: ShuffleID, _ merge: Int, _ body: (inout Merge) -> Void) {
        merges.withLock { merges in
            var known = merges[shuffle] ?? Merge(id: merge)
            if known.id < merge { known = Merge(id: merge) }
            guard known.id == merge else { return }
            body(&known)
            merges[shuffle] = known
        }
    }
}
