import MillraceBase
import MillraceWire

/// A combine table's way to memory: it grows only as far as that is granted. Asked once a chunk of
/// rows; the ledger is asked only when the table grows, and now and then when values may have.
@usableFromInline final class TableMemory<Key, Value> {
    /// nil where nothing is ever refused.
    let consumer: MemoryConsumer?
    private let codec: RowCodec<(Key, Value)>?
    private var heldPerEntry = 0
    /// Bytes that rows brought with them that stay: what groups are made of.
    @usableFromInline var kept = 0
    /// Bytes of those that may come before the ledger is asked; below 0, it is asked at once.
    @usableFromInline var keptLimit = -1
    /// Chunks until the entries are looked at again.
    @usableFromInline var chunksUntilLook: Int
    private let chunksBetweenLooks: Int
    /// An entry that nobody can measure counts for so much beside its place.
    private static var unknown: Int { 64 }
    private static var lookInterval: Int { 64 }
    /// With what malloc rounds up.
    private static var arrayHeader: Int { 48 }

    init(_ consumer: MemoryConsumer?, _ codec: RowCodec<(Key, Value)>?) {
        self.consumer = consumer
        self.codec = codec
        let isFlat = consumer == nil || _isPOD((Key, Value).self)
        chunksBetweenLooks = isFlat ? .max : Self.lookInterval
        chunksUntilLook = chunksBetweenLooks
    }

    deinit { consumer?.close() }

    /// Whether `keys` new ones, and `bytes` that stay with them, surely fit.
    @inlinable @inline(__always)
    func hasRoom(for keys: Int, keeping bytes: Int, in table: CombineTable<Key, Value>) -> Bool {
        chunksUntilLook &-= 1
        kept &+= bytes
        return table.room >= keys && chunksUntilLook > 0 && kept <= keptLimit
    }

    /// Makes the table as large as `keys` more need. False, and nothing changed, when there is no
    /// memory for that.
    func grow(for keys: Int, in table: CombineTable<Key, Value>) throws -> Bool {
        look(table)
        guard let consumer else {
            table.makeRoom(for: keys)
            keptLimit = .max
            return true
        }
        while table.room < keys {
            guard try consumer.grow(to: table.bytesToGrow + held(by: table)) else { return false }
            table.makeRoom(for: table.room + 1)
        }
        guard try consumer.grow(to: table.bytes + held(by: table)) else { return false }
        // What is granted beyond what is needed.
        keptLimit = kept + consumer.used - table.bytes - held(by: table)
        return true
    }

    /// `grow`, of an empty table. Throws `MemoryExhausted`.
    func require(for keys: Int, in table: CombineTable<Key, Value>) throws {
        if try grow(for: keys, in: table) { return }
        try consumer?.require(table.bytesToGrow + held(by: table))
        _ = try grow(for: keys, in: table)
    }

    /// The entries are elsewhere now; `table` is what there is.
    func emptied(_ table: CombineTable<Key, Value>) {
        kept = 0
        keptLimit = 0
        consumer?.shrink(to: table.bytes)
    }

    /// Bytes of an entry with what it points to.
    func bytesPerEntry(_ table: CombineTable<Key, Value>) -> Int {
        MemoryLayout<(Key, Value)>.stride
            + (table.count > 0 ? held(by: table) / table.count : heldPerEntry)
    }

    private func held(by table: CombineTable<Key, Value>) -> Int {
        table.count * heldPerEntry + kept
    }

    private func look(_ table: CombineTable<Key, Value>) {
        chunksUntilLook = chunksBetweenLooks
        if _isPOD((Key, Value).self) || consumer == nil { return }
        // Groups grow by what is counted when it comes; their arrays have headers beside that.
        if kept > 0 {
            heldPerEntry = Self.arrayHeader * max(1, MemoryLayout<Value>.size / 8)
        } else {
            heldPerEntry = codec.map { table.heldPerEntry($0) } ?? Self.unknown
        }
    }
}
