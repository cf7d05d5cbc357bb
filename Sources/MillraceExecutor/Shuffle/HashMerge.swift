import MillraceWire

/// The entries of several runs, each in the order of its keys' hashes, with those of one key
/// merged.
public final class HashMerge<Key, Combined> {
    @usableFromInline let runs: RunMerge<UInt64, (Key, Combined)>
    @usableFromInline let incoming = RowBuffer<(UInt64, (Key, Combined))>()
    /// The keys of one hash: nearly always one.
    @usableFromInline let group = RowBuffer<(Key, Combined)>()
    @usableFromInline var hash: UInt64 = 0

    init(_ runs: RunMerge<UInt64, (Key, Combined)>) { self.runs = runs }

    /// Appends about a chunk of keys; false when there are none left.
    @inlinable @inline(__always)
    public func pull(
        into output: RowBuffer<(Key, Combined)>,
        merge: (inout Combined, Combined) throws -> Void
    ) throws -> Bool where Key: Equatable {
        let before = output.count
        while output.count &- before < Chunk.rows {
            incoming.removeAll()
            guard try runs.pull(Chunk.rows, into: incoming, by: { $0 < $1 }) else {
                group.moveEach { output.append($0) }
                break
            }
            try incoming.moveEach { row in
                if row.0 != hash {
                    group.moveEach { output.append($0) }
                    hash = row.0
                }
                let entries = group.rows
                for place in 0..<entries.count where entries[place].0 == row.1.0 {
                    return try merge(&entries[place].1, row.1.1)
                }
                group.append(row.1)
            }
        }
        return output.count > before
    }
}
