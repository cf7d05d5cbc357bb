import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import MillraceWire
import Synchronization

/// The cached partitions of one executor: in memory as long as there is room, then on disk if their
/// level says so, else gone. Spark's BlockManager.
///
/// Filled and read by task threads (`PersistedRows`); what changes is told to the driver, whose
/// BlockManagerMaster knows who has which block.
public final class BlockManager: StorageEvictor {
    let memory: MemoryManager
    let memoryStore: MemoryStore
    let diskStore: DiskStore
    private let report: @Sendable (ExecutorReport) -> Void
    /// Datasets that were unpersisted: a task that is still computing one keeps nothing.
    private let removed = Mutex<Set<RDDID>>([])

    /// Files go to `folder`, which is made when it is needed. `report` is called on any thread.
    public init(
        memory: MemoryManager, folder: String,
        report: @escaping @Sendable (ExecutorReport) -> Void
    ) {
        self.memory = memory
        memoryStore = MemoryStore(memory: memory)
        diskStore = DiskStore(folder: folder)
        self.report = report
        memory.setEvictor(self)
    }

    /// A stage comes that persists these: what was removed before may come again.
    func expect(_ rdds: [RDDID]) {
        removed.withLock { removed in for rdd in rdds { removed.remove(rdd) } }
    }

    func isWanted(_ rdd: RDDID) -> Bool { removed.withLock { !$0.contains(rdd) } }

    // MARK: Reading

    /// The block's rows, from here; nil when this executor has not got it.
    func rows<Element>(
        _ block: RDDBlockID, of: Element.Type, task: TaskContext
    ) throws -> Cursor<Element>? {
        if let pin = memoryStore.pin(block) {
            return PinnedCursor(
                try pin.rows.cursor(of: block, Element.self, task: task), pin: pin)
        }
        guard let next = try diskStore.frames(of: block) else { return nil }
        // A damaged file fails this attempt; the next one computes the block again.
        return FrameCursor(block, try RowCodec<Element>(), task: task, nextFrame: next) {
            [diskStore, tell] in
            diskStore.remove(block)
            tell(block)
        }
    }

    /// The block's bytes for another executor: on disk as they are, or in memory, from where they
    /// may take a while to make.
    enum Served {
        case file(path: String, size: Int)
        case memory(MemoryStore.Pin)
    }

    func serve(_ block: RDDBlockID) -> Served? {
        if let size = diskStore.size(block) {
            return .file(path: diskStore.path(block), size: size)
        }
        return memoryStore.pin(block).map { .memory($0) }
    }

    // MARK: Writing

    /// Keeps rows in memory whose bytes are reserved in the dataset's account. False, with the
    /// bytes still the caller's, when the block is there already or not wanted any more.
    func keep(_ block: RDDBlockID, _ rows: any StoredRows, level: StorageLevel) -> Bool {
        guard isWanted(block.rdd), memoryStore.put(block, rows, level: level) else { return false }
        // Unpersisted between the two: whoever came second cleans up.
        if !isWanted(block.rdd) { memoryStore.remove(block) }
        tell(block)
        return true
    }

    /// Writes a block to disk. Returns its frames, which stay readable when it is unpersisted
    /// meanwhile.
    func write(
        _ block: RDDBlockID, _ next: () throws -> [UInt8]?
    ) throws -> () throws -> [UInt8]? {
        let frames = try diskStore.write(block, next)
        if !isWanted(block.rdd) { diskStore.remove(block) }
        tell(block)
        return frames
    }

    /// Reports what is here of a block.
    func tell(_ block: RDDBlockID) {
        report(
            .block(
                BlockStatus(
                    rdd: block.rdd, partition: block.partition,
                    memoryBytes: memoryStore.size(block) ?? 0,
                    diskBytes: diskStore.size(block) ?? 0)))
    }

    /// Keeps the bytes of another executor's block, unless it is here already. They stay bytes in
    /// memory whatever the level says, because nobody knows the type of the rows.
    func adopt(
        _ block: RDDBlockID, level: StorageLevel, frames: () throws -> [[UInt8]]
    ) throws {
        guard memoryStore.size(block) == nil, diskStore.size(block) == nil else { return }
        let rows = RowFrames(try frames())
        if level.usesMemory {
            let account = memoryStore.account(of: block.rdd)
            defer { memoryStore.leave(block.rdd) }
            if memory.acquireStorage(rows.bytes, for: account, keeping: block.rdd) {
                if keep(block, rows, level: level) { return }
                memory.releaseStorage(rows.bytes, of: account)
            }
        }
        guard level.usesDisk else { return }
        var frames = rows.frames()[...]
        _ = try write(block) { frames.popFirst() }
    }

    // MARK: Removal

    /// Nothing more of these is kept.
    func refuse(_ rdds: [RDDID]) { removed.withLock { $0.formUnion(rdds) } }

    /// Deletes a dataset's blocks, after `refuse`. Not on the loop, because of the files.
    func remove(_ rdd: RDDID) {
        for block in memoryStore.blocks(of: rdd) { memoryStore.remove(block) }
        for block in diskStore.blocks(of: rdd) { diskStore.remove(block) }
    }

    func evict(_ bytes: Int, keeping rdd: RDDID?) -> Int {
        var freed = 0
        for victim in memoryStore.takeVictims(bytes, keeping: rdd, allOrNothing: rdd != nil) {
            if victim.level.usesDisk, diskStore.size(victim.block) == nil { drop(victim) }
            freed += victim.rows.bytes
            memoryStore.release(victim)
            tell(victim.block)
        }
        return freed
    }

    /// Moves a victim to disk. A disk that refuses costs the block, which is computed again.
    private func drop(_ victim: MemoryStore.Victim) {
        do {
            var frames = try victim.rows.frames()[...]
            _ = try diskStore.write(victim.block) { frames.popFirst() }
        } catch {
            Log.warn(
                "executor", "cannot move a cached block to disk",
                ["block": victim.block, "reason": error])
        }
    }
}

/// Keeps a block from eviction while it is read.
private final class PinnedCursor<Element>: Cursor<Element> {
    private let rows: Cursor<Element>
    private let pin: MemoryStore.Pin

    init(_ rows: Cursor<Element>, pin: MemoryStore.Pin) {
        self.rows = rows
        self.pin = pin
    }

    override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        try rows.next(into: chunk)
    }
}
