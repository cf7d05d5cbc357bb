import MillraceWire

/// A partition's rows as a sequence, for user code (`mapPartitions`). Rows are pulled as the
/// sequence is consumed, once.
///
/// An iterator cannot throw: when the source fails, the sequence ends and `failure` keeps the
/// error, which the operator throws before it looks at anything else.
public struct Rows<Element>: Sequence, IteratorProtocol {
    @usableFromInline let cursor: Cursor<Element>
    @usableFromInline let chunk = RowBuffer<Element>()
    @usableFromInline var position = 0
    public let failure: RowsFailure

    @inlinable public init(_ cursor: Cursor<Element>, failure: RowsFailure = RowsFailure()) {
        self.cursor = cursor
        self.failure = failure
    }

    @inlinable public mutating func next() -> Element? {
        if position == chunk.count {
            guard refill() else { return nil }
        }
        position += 1
        return chunk[position - 1]
    }

    @usableFromInline mutating func refill() -> Bool {
        position = 0
        guard failure.error == nil else { return false }
        do { return try cursor.next(into: chunk) } catch {
            failure.error = error
            chunk.removeAll()
            return false
        }
    }
}

/// Why a `Rows` ended early, if it did.
public final class RowsFailure {
    public internal(set) var error: (any Error)?
    public init() {}
    @inlinable public func check() throws {
        if let error { throw error }
    }
}
