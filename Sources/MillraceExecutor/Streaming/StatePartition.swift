import MillraceBase
import MillraceStore
import MillraceWire

/// What the user's types make of state, compiled where they are known.
public struct StateKernels<Key, Value>: Codable, Sendable {
    public typealias Merge = @Sendable (Cursor<(Key, Value)>, StateTable<Key, Value>) throws -> Void
    public typealias Rows =
        @Sendable (StateTable<Key, Value>, ArraySlice<Int>, RowBuffer<(Key, Value)>) ->
        Void
    public typealias Load = @Sendable ([(Key, Value)], StateTable<Key, Value>) throws -> Void

    /// Merges a batch's rows into the table.
    public let merge: Shipped<Merge>
    /// Appends the entries of these numbers.
    public let rows: Shipped<Rows>
    /// Puts rows in; what is there of a key is replaced.
    public let load: Shipped<Load>

    @inlinable public init(
        merge: @escaping Merge, rows: @escaping Rows, load: @escaping Load
    ) {
        self.merge = Shipped(merge)
        self.rows = Shipped(rows)
        self.load = Shipped(load)
    }
}

/// The state of one partition of an operator in this process: the table, its version, and its
/// files.
///
/// `open` brings the table to the version that a batch starts from: it is there, or the last batch
/// is taken back, or the files are read. `commit` writes the delta, durable on return, and the
/// table is at the next version. Every file holds one record per key group, with an empty key and
/// the group's rows as `RowCodec` bytes.
final class StatePartition<Key, Value> {
    private let kernels: StateKernels<Key, Value>
    private let codec: RowCodec<(Key, Value)>
    private let keyGroups: Int
    private let groups: Range<Int>
    private var folder: StateFolder
    private(set) var table = StateTable<Key, Value>()
    /// Of the table when no batch is open; where the open batch began otherwise.
    private var version: Int?
    private var isOpen = false
    /// Rows in deltas since the last snapshot, and the number of those deltas.
    private var rowsSinceSnapshot = 0
    private var deltasSinceSnapshot = 0
    private let buffer = RowBuffer<(Key, Value)>()
    /// Deltas after which a snapshot is written however few rows they hold: what a start has to
    /// open.
    private static var maxDeltas: Int { 200 }

    init(_ input: StateInput, partition: Int, _ kernels: StateKernels<Key, Value>) throws {
        self.kernels = kernels
        codec = try RowCodec()
        keyGroups = input.keyGroups
        folder = try StateFolder(
            PosixFileSystem(), root: input.root, operatorID: input.operatorID,
            keyGroups: input.keyGroups)
        folder.run = input.run
        groups = folder.groups(of: partition, in: input.partitions)
    }

    var isEmptyRange: Bool { groups.isEmpty }

    /// Whether files had to be read.
    func open(at wanted: Int) throws -> Bool {
        if isOpen {
            table.rollBack()
            isOpen = false
        } else if version == wanted + 1 {
            table.rollBack()
            version = wanted
            deltasSinceSnapshot = max(deltasSinceSnapshot - 1, 0)
        }
        let mustLoad = version != wanted
        if mustLoad { try load(wanted) }
        table.begin()
        isOpen = true
        return mustLoad && wanted > 0
    }

    private func load(_ wanted: Int) throws {
        version = nil
        table = StateTable()
        table.begin()
        rowsSinceSnapshot = 0
        deltasSinceSnapshot = 0
        var rows: [(Key, Value)] = []
        try StateLoader(folder, groups: groups, version: wanted).replay { _, _, value in
            guard let value else { return }
            rows.removeAll(keepingCapacity: true)
            try codec.append(Array(value), to: &rows)
            rowsSinceSnapshot += rows.count
            try kernels.load.function(rows, table)
        }
        // Not known exactly without looking into each file; the next snapshot corrects it.
        deltasSinceSnapshot = wanted == 0 ? 0 : 1
        version = wanted
    }

    func merge(_ rows: Cursor<(Key, Value)>) throws {
        try kernels.merge.function(rows, table)
    }

    /// Makes the open batch durable as the next version. Returns the bytes written.
    func commit(minDeltas: Int) throws -> Int {
        precondition(isOpen && version != nil, "no batch is open")
        let next = (version ?? 0) + 1
        let changed = table.changedCount
        let entries = (0..<changed).map { table.changedEntry($0) }
        var bytes = try publish(.delta, version: next, entries)
        isOpen = false
        version = next
        rowsSinceSnapshot += changed
        deltasSinceSnapshot += 1
        let isDue =
            deltasSinceSnapshot >= minDeltas && rowsSinceSnapshot >= table.count
            || deltasSinceSnapshot >= Self.maxDeltas
        if isDue { bytes += snapshot(next) }
        return bytes
    }

    /// The delta is durable, so a snapshot that fails only makes the next load longer.
    private func snapshot(_ version: Int) -> Int {
        do {
            let bytes = try publish(.snapshot, version: version, Array(0..<table.count))
            rowsSinceSnapshot = 0
            deltasSinceSnapshot = 0
            return bytes
        } catch {
            Log.warn("state", "snapshot not written", ["folder": folder.path, "because": error])
            return 0
        }
    }

    private func publish(
        _ kind: DeltaWriter.Kind, version: Int, _ entries: [Int]
    ) throws -> Int {
        if groups.isEmpty { return 0 }
        var writer = DeltaWriter(kind, version: version, groups: groups)
        let (sorted, starts) = byGroup(entries)
        for group in 0..<groups.count where starts[group] < starts[group + 1] {
            buffer.removeAll()
            kernels.rows.function(table, sorted[starts[group]..<starts[group + 1]], buffer)
            try writer.put(group: groups.lowerBound + group) { _ in
            } value: {
                try codec.encode(buffer, into: &$0)
            }
        }
        buffer.removeAll()
        return try folder.publish(writer)
    }

    /// Entries by their key group, and where each group begins.
    private func byGroup(_ entries: [Int]) -> (sorted: [Int], starts: [Int]) {
        var starts = [Int](repeating: 0, count: groups.count + 1)
        func group(_ entry: Int) -> Int {
            KeyGroups.group(table.hash(entry), of: keyGroups) - groups.lowerBound
        }
        for entry in entries { starts[group(entry) + 1] += 1 }
        for index in 1..<starts.count { starts[index] += starts[index - 1] }
        var next = starts
        var sorted = [Int](repeating: 0, count: entries.count)
        for entry in entries {
            let group = group(entry)
            sorted[next[group]] = entry
            next[group] += 1
        }
        return (sorted, starts)
    }
}
