import MillraceBase
import MillraceCore
import MillraceWire

/// Fetches map outputs from executors that leave, and keeps them: from then on this executor serves
/// them under the same names.
///
/// On a thread of its own, for waiting for another executor takes time that the loop hasn't got.
/// The driver decides how many are under way.
final class OutputAdoption: Sendable {
    private let store: MapOutputStore
    private let fetcher: any BlockFetcher
    private let maxBytesInFlight: Int
    private let report: @Sendable (ExecutorReport) -> Void
    private let thread = BackgroundThread("outputs-fetch")

    init(
        store: MapOutputStore, fetcher: any BlockFetcher, maxBytesInFlight: Int,
        report: @escaping @Sendable (ExecutorReport) -> Void
    ) {
        self.store = store
        self.fetcher = fetcher
        self.maxBytesInFlight = maxBytesInFlight
        self.report = report
    }

    func stop() { thread.stop() }

    func adopt(_ moves: [OutputMove]) {
        for move in moves {
            thread.perform { [self] in
                var isMoved = true
                do { try fetch(move) } catch {
                    isMoved = false
                    Log.warn(
                        "executor", "cannot take a map output over",
                        [
                            "shuffle": move.shuffle, "map": move.mapIndex,
                            "from": move.from.rawValue, "reason": error,
                        ])
                }
                report(.outputMoved(move, isMoved: isMoved))
            }
        }
    }

    /// In requests of about as many bytes as a reduce task may ask for at a time.
    private func fetch(_ move: OutputMove) throws {
        let reducers = (0..<move.sizes.count).filter { move.sizes[$0] > 0 }
        var next = 0
        try store.adopt(
            shuffle: move.shuffle, task: move.mapTask, partitions: move.sizes.count,
            bytes: move.sizes.total
        ) { keep in
            while next < reducers.count {
                let first = next
                var bytes = 0
                while next < reducers.count, next == first || bytes < maxBytesInFlight {
                    bytes += move.sizes[reducers[next]]
                    next += 1
                }
                let wanted = reducers[first..<next]
                let blocks = wanted.map {
                    BlockID(shuffle: move.shuffle, mapTask: move.mapTask, reduce: $0)
                }
                let fetched = try fetcher.start(blocks, from: move.from).wait()
                for (reducer, block) in zip(wanted, fetched) { try keep(reducer, block) }
            }
        }
    }
}
