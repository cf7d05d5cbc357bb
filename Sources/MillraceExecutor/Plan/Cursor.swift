import MillraceWire

/// Pulls the rows of one partition, a chunk at a time.
///
/// Operators stack cursors; the sink at the bottom of a stage pulls. A call of `next` costs one
/// dynamic dispatch per chunk; per-row work happens in kernels (closures made in `@inlinable` API
/// methods, so specialised where the user calls them). Subclasses override `next`. A cursor is used
/// by one task thread.
open class Cursor<Element> {
    public init() {}

    /// Replaces the contents of `chunk` with the next rows (about `Chunk.rows`, at least one,
    /// sometimes more) and says true; or empties it and says false at the end, and from then on.
    /// The caller keeps the buffer between calls, so that its memory is used again. Throws what
    /// user code throws, `FetchFailure`,
    /// `TaskKilled`, or a `ByteError` for a damaged block.
    open func next(into chunk: RowBuffer<Element>) throws -> Bool {
        preconditionFailure("Cursor.next is to be overridden")
    }
}

/// How rows are grouped on their way through a stage.
public enum Chunk {
    /// Rows that a source puts into one chunk: enough to hide the dispatch, few enough to stay in
    /// the L2 cache.
    @inlinable public static var rows: Int { 1024 }
}

extension Cursor {
    /// All rows that are left.
    @inlinable public func all() throws -> RowBuffer<Element> {
        let rows = RowBuffer<Element>()
        guard try next(into: rows) else { return rows }
        let chunk = RowBuffer<Element>()
        while try next(into: chunk) {
            rows.reserveCapacity(rows.count + chunk.count)
            rows.append(moving: chunk)
        }
        return rows
    }
}
