import MillraceBase

/// Collects a map task's output and publishes it in this executor's store: in memory as long as
/// memory is granted, in spills when it is not.
final class StoredMapOutput: MapOutputWriter {
    private let store: MapOutputStore
    private let shuffle: ShuffleID
    private let task: TaskID
    private var output: CollectedOutput
    private var consumer: MemoryConsumer?
    /// What it keeps when it spills, so that whoever takes all other memory leaves it room for a
    /// spill that is worth one.
    private let least: Int
    private static let mostKept = 4 << 20

    /// Throws `TaskKilled`.
    init(
        store: MapOutputStore, shuffle: ShuffleID, task: TaskID, reducers: Int, memory: TaskMemory
    ) throws {
        self.store = store
        self.shuffle = shuffle
        self.task = task
        output = CollectedOutput(reducers: reducers)
        least = min(Self.mostKept, memory.manager.total / 16)
        store.beginWriting(shuffle)
        let consumer = memory.consumer("shuffle output") { [unowned self] _ in try spill() }
        self.consumer = consumer
        _ = try consumer.grow(to: least)
    }

    deinit {
        consumer?.close()
        store.endWriting(shuffle)
    }

    func append(_ piece: [UInt8], reduce: Int) throws {
        try reserve(piece.count)
        output.append(piece, reduce: reduce)
    }

    func commit() throws -> [UInt64] {
        try store.publish(output, shuffle: shuffle, task: task)
        defer { abort() }
        return output.sizes
    }

    func abort() {
        output = CollectedOutput(reducers: output.reducers)
        consumer?.close()
        consumer = nil
    }

    /// Room for a piece, after a spill if there is none. A single piece is small and always kept.
    private func reserve(_ bytes: Int) throws {
        guard let consumer, try !consumer.grow(to: output.held + bytes) else { return }
        _ = try spill()
        _ = try consumer.grow(to: bytes)
    }

    private func spill() throws -> Int {
        guard output.held > 0 else { return 0 }
        Log.debug("executor", "spilling", ["output of": task, "bytes": output.held])
        let name = "shuffle_\(shuffle.rawValue)_\(task.rawValue).spill"
        try LocalDiskFull.whileWriting(
            "a spill of \(task) of \(shuffle)", bytes: output.held, to: store.spills.folder
        ) { try output.spill(to: store.spills, name) }
        let freed = max(0, (consumer?.used ?? 0) - least)
        consumer?.release(freed)
        return freed
    }
}
