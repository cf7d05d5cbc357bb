import MillraceBase
import Synchronization

/// The rows that a memory sink has collected. Spark's `MemorySink`: for tests and for trying things
/// out.
final class MemoryTable<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var rows: [Element] = []
        var latest: BatchID?
    }
    private let state = Mutex(State())

    var rows: [Element] { state.withLock { $0.rows } }

    /// A batch that came before is left out.
    func add(_ batch: BatchID, _ rows: [Element], replacing: Bool) {
        state.withLock { state in
            if let latest = state.latest, batch <= latest { return }
            state.latest = batch
            if replacing { state.rows = rows } else { state.rows.append(contentsOf: rows) }
        }
    }
}

extension StreamSink {
    /// A table of that name; in mode complete it holds the last batch, otherwise all of them.
    static func memory<Element>(
        _: Element.Type, table name: String, _ manager: StreamingQueryManager
    ) -> StreamSink {
        collecting("MemorySink") { place in
            let table = MemoryTable<Boxed<Element>>()
            manager.set(table, named: name)
            let replacing = place.mode == .complete
            return { batch, rows in
                table.add(batch, rows.map { Boxed(value: $0) }, replacing: replacing)
            }
        }
    }
}

/// A row of a type that is not known to be Sendable. Rows were decoded for the sink and nobody else
/// has them.
struct Boxed<Element>: @unchecked Sendable {
    var value: Element
}
