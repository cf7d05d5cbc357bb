import MillraceBase

/// Which map outputs lie on which executor, over all shuffles: what an executor takes with it is
/// found without a look at anything else.
///
/// A list per executor through one slab, so that adding and removing one output costs the same
/// however many there are.
struct OutputIndex: Sendable {
    /// One output: a slot of `MapOutputTracker.shuffles` and a map index.
    struct Entry: Sendable, SlabElement {
        let shuffle: Int32
        let mapIndex: Int32
        fileprivate let executor: Int32
        fileprivate var previous: Int32 = -1
        fileprivate var next: Int32 = -1
    }

    private var entries = Slab<Entry>()
    /// By executor, its newest entry; -1 when there is none.
    private var heads: [Int32] = []

    var count: Int { entries.count }

    /// Returns where the output is listed, for `remove`.
    mutating func insert(_ executor: ExecutorID, shuffle: Int, mapIndex: Int) -> Int32 {
        let id = executor.rawValue
        while heads.count <= id { heads.append(-1) }
        var entry = Entry(
            shuffle: Int32(shuffle), mapIndex: Int32(mapIndex), executor: Int32(id))
        entry.next = heads[id]
        let place = Int32(entries.insert(entry))
        if heads[id] >= 0 { entries[Int(heads[id])].previous = place }
        heads[id] = place
        return place
    }

    mutating func remove(_ place: Int32) {
        let entry = entries[Int(place)]
        if entry.previous >= 0 {
            entries[Int(entry.previous)].next = entry.next
        } else {
            heads[Int(entry.executor)] = entry.next
        }
        if entry.next >= 0 { entries[Int(entry.next)].previous = entry.previous }
        entries.remove(Int(place))
    }

    func isEmpty(of executor: ExecutorID) -> Bool {
        !heads.indices.contains(executor.rawValue) || heads[executor.rawValue] < 0
    }

    /// Whether the executor has an output of such a shuffle (by slot); looks at the newest first.
    func contains(of executor: ExecutorID, where isSuch: (Int) -> Bool) -> Bool {
        guard heads.indices.contains(executor.rawValue) else { return false }
        var place = heads[executor.rawValue]
        var latest: Int32 = -1
        while place >= 0 {
            let shuffle = entries[Int(place)].shuffle
            if shuffle != latest, isSuch(Int(shuffle)) { return true }
            latest = shuffle
            place = entries[Int(place)].next
        }
        return false
    }

    /// The outputs of an executor, by shuffle slot and map index. Any executor may be asked for.
    func entries(of executor: ExecutorID) -> [Entry] {
        guard heads.indices.contains(executor.rawValue) else { return [] }
        var found: [Entry] = []
        var place = heads[executor.rawValue]
        while place >= 0 {
            found.append(entries[Int(place)])
            place = entries[Int(place)].next
        }
        found.sort { ($0.shuffle, $0.mapIndex) < ($1.shuffle, $1.mapIndex) }
        return found
    }
}
