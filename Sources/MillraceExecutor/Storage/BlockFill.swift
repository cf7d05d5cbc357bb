import MillraceBase
import MillraceCore
import MillraceWire

/// Computes one block of a persisted dataset and keeps what the level says, chunk by chunk, with
/// the memory reserved before it is needed. Spark's MemoryStore.putIterator, with its unrolling.
struct BlockFill<Element> {
    private let block: RDDBlockID
    private let level: StorageLevel
    private let manager: BlockManager
    private let task: TaskContext
    private let codec: RowCodec<Element>?
    private let size: RowSize<Element>
    private let account: StorageAccount
    private var reserved = 0
    private var used = 0

    /// Spark's `storage.unrollMemoryThreshold`: what is reserved at first.
    private static var firstReservation: Int { 1 << 20 }

    private init(
        _ block: RDDBlockID, _ level: StorageLevel, _ manager: BlockManager, _ task: TaskContext
    ) throws {
        self.block = block
        self.level = level
        self.manager = manager
        self.task = task
        codec = level.needsBytes ? try RowCodec<Element>() : try? RowCodec<Element>()
        size = RowSize(codec)
        account = manager.memoryStore.account(of: block.rdd)
    }

    /// The rows of `source`, kept as far as there is room. The whole partition is computed before
    /// this returns, unless it can neither stay in memory nor go to disk.
    static func rows(
        _ source: Cursor<Element>, _ block: RDDBlockID, level: StorageLevel,
        manager: BlockManager, task: TaskContext
    ) throws -> Cursor<Element> {
        var fill = try BlockFill(block, level, manager, task)
        var isHandedOver = false
        defer { if !isHandedOver { fill.giveBack() } }
        if !level.usesMemory { return try fill.toDisk([], source) }
        return level.isDeserialized
            ? try fill.values(source, &isHandedOver) : try fill.frames(source)
    }

    /// Releases what is reserved and not kept.
    private mutating func giveBack() {
        manager.memory.releaseStorage(reserved, of: account)
        reserved = 0
        manager.memoryStore.leave(block.rdd)
    }

    /// Whether `bytes` more fit. Reserves ahead, so that not every chunk asks.
    private mutating func fits(_ bytes: Int) -> Bool {
        used += bytes
        guard used > reserved else { return true }
        let ahead = max(Self.firstReservation, used + used / 2) - reserved
        for more in [ahead, used - reserved]
        where manager.memory.acquireStorage(more, for: account, keeping: block.rdd) {
            reserved += more
            return true
        }
        used -= bytes
        return false
    }

    /// Keeps the block and gives back what was reserved beyond it.
    private mutating func keep(_ rows: any StoredRows) {
        manager.memory.releaseStorage(reserved - rows.bytes, of: account)
        reserved = manager.keep(block, rows, level: level) ? 0 : rows.bytes
    }

    private mutating func values(
        _ source: Cursor<Element>, _ isHandedOver: inout Bool
    ) throws -> Cursor<Element> {
        var chunks: [[Element]] = []
        let chunk = RowBuffer<Element>()
        while try source.next(into: chunk) {
            try task.killTaskIfInterrupted()
            let next = chunk.takeArray()
            let bytes = size.bytes(of: next)
            chunks.append(next)
            if fits(bytes) { continue }
            if level.usesDisk { return try toDisk(chunks, source) }
            isHandedOver = true
            let fill = self
            return ResumedCursor(chunks, then: source) {
                var fill = fill
                fill.giveBack()
            }
        }
        keep(RowValues(chunks: chunks, bytes: used, codec: codec))
        return ChunkCursor(chunks, task: task)
    }

    private mutating func frames(_ source: Cursor<Element>) throws -> Cursor<Element> {
        guard let codec else { preconditionFailure("the level needs bytes") }
        var frames: [[UInt8]] = []
        let chunk = RowBuffer<Element>()
        while try source.next(into: chunk) {
            try task.killTaskIfInterrupted()
            frames.append(try BlockFrames.frame(UnsafeBufferPointer(chunk.rows), codec))
            if fits(frames[frames.count - 1].count) { continue }
            if level.usesDisk { return try toDisk(frames: frames, source) }
            return try overflow(frames, source, codec)
        }
        let rows = RowFrames(frames)
        keep(rows)
        return try rows.cursor(of: block, Element.self, task: task)
    }

    /// Rows that do not fit as bytes: those that were made, then the rest.
    private func overflow(
        _ frames: [[UInt8]], _ source: Cursor<Element>, _ codec: RowCodec<Element>
    ) throws -> Cursor<Element> {
        var left = frames[...]
        var chunks: [[Element]] = []
        while let frame = left.popFirst() {
            let rows = RowBuffer<Element>()
            try BlockFrames.append(frame, of: block, codec, to: rows)
            chunks.append(rows.takeArray())
        }
        return ResumedCursor(chunks, then: source) {}
    }

    // MARK: Disk

    private func toDisk(
        _ chunks: [[Element]], _ source: Cursor<Element>
    ) throws -> Cursor<Element> {
        guard let codec else { preconditionFailure("the level needs bytes") }
        var first = chunks[...]
        return try write(source, codec) {
            try first.popFirst().map { try BlockFrames.frame($0, codec) }
        }
    }

    private func toDisk(
        frames: [[UInt8]], _ source: Cursor<Element>
    ) throws -> Cursor<Element> {
        guard let codec else { preconditionFailure("the level needs bytes") }
        var first = frames[...]
        return try write(source, codec) { first.popFirst() }
    }

    private func write(
        _ source: Cursor<Element>, _ codec: RowCodec<Element>, first: () throws -> [UInt8]?
    ) throws -> Cursor<Element> {
        let chunk = RowBuffer<Element>()
        let frames = try manager.write(block) {
            if let frame = try first() { return frame }
            guard try source.next(into: chunk) else { return nil }
            try task.killTaskIfInterrupted()
            return try BlockFrames.frame(UnsafeBufferPointer(chunk.rows), codec)
        }
        return FrameCursor(block, codec, task: task, nextFrame: frames)
    }
}
