import MillraceWire

/// An iterator that can also give many elements at once, faster than one by one. `flatMap` asks a
/// sequence's iterator for chunks when it is one.
public protocol ChunkIterator: IteratorProtocol {
    /// Appends the next elements until `chunk` has `limit` of them or there are no more.
    mutating func append(to chunk: RowBuffer<Element>, upTo limit: Int)
}
