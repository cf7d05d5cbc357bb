import MillraceBase
import MillraceCore
import MillraceStore

/// The blocks of a reduce partition that a shuffle service has merged, in large pieces, and then
/// the rest from the map outputs.
///
/// The merger's index says which task's block is where. A block is taken only if it is of the very
/// task whose output the reader looks for, and only when its checksum holds; then that output is
/// crossed off. What is left when all pieces were read, for whatever reason, is read as ever: so
/// none is read twice and none is missing, and only there can a fetch fail.
final class MergedBlocks: ShuffleBlocks {
    /// Neighbouring blocks that are wanted.
    struct Chunk: Hashable {
        var blocks: [MergedBlock]
        var range: Range<Int> { blocks[0].offset..<blocks[blocks.count - 1].end }
    }

    private let runtime: ExecutorRuntime
    private let reduce: Int
    private let plan: MergePlan
    private let merger: ExecutorID
    private let consumer: MemoryConsumer
    /// What is still to be read; made into `rest` at the end.
    private var outputs: MapOutputs
    private let makeRest: (MapOutputs) -> any ShuffleBlocks
    private var rest: (any ShuffleBlocks)?
    private var waiting: [Chunk]?
    private var underWay: [(chunk: Chunk, fetch: any BlockFetch)] = []
    private var bytesInFlight = 0
    private var ready: [[UInt8]] = []
    /// Bytes reserved for what is under way or was handed out last.
    private var held = 0
    private var handedOut = 0

    /// nil when nothing of the partition is merged, or nobody here can read it.
    init?(
        outputs: MapOutputs, reduce: Int, runtime: ExecutorRuntime, memory: TaskMemory,
        rest: @escaping (MapOutputs) -> any ShuffleBlocks
    ) {
        guard let merged = outputs.merged, reduce < merged.sizes.count, merged.sizes[reduce] > 0,
            runtime.pusher.connected != nil
        else { return nil }
        plan = merged.plan
        merger = plan.merger(of: reduce, reducers: merged.sizes.count)
        guard runtime.pusher.accepts(outputs.shuffle, plan.merge, merger) else { return nil }
        self.outputs = outputs
        self.reduce = reduce
        self.runtime = runtime
        makeRest = rest
        consumer = memory.consumer("merged blocks")
    }

    deinit { consumer.close() }

    func next() throws -> [UInt8]? {
        if let rest { return try rest.next() }
        giveBack()
        if waiting == nil { waiting = try chunks() }
        while true {
            if let blocks = ready.popLast() {
                handedOut = blocks.count
                return blocks
            }
            try startRequests()
            if underWay.isEmpty { break }
            try collect()
        }
        consumer.close()
        let rest = makeRest(outputs)
        self.rest = rest
        return try rest.next()
    }

    /// A merged block was checked before it was handed out.
    func damaged(_ error: any Error) -> any Error { rest?.damaged(error) ?? error }

    // MARK: What is merged

    private var name: String { "merged_\(outputs.shuffle.rawValue)_\(plan.merge)_\(reduce)" }

    /// Throws `TaskKilled`; without an index nothing is merged.
    private func chunks() throws -> [Chunk] {
        do throws(BlockFetchError) {
            let index = try ask(".index", part: nil)
            return Self.chunks(
                of: MergedBlock.decode(index), wanted: outputs, reduce: reduce,
                minimum: runtime.pusher.minChunkSize, maximum: runtime.maxBlockInMemory)
        } catch {
            try giveUp(error)
            return []
        }
    }

    /// Last first. Each output is in one of them at most.
    static func chunks(
        of blocks: [MergedBlock], wanted outputs: MapOutputs, reduce: Int, minimum: Int,
        maximum: Int
    ) -> [Chunk] {
        var chunks: [Chunk] = []
        var isSeen = [Bool](repeating: false, count: outputs.statuses.count)
        for block in blocks.sorted(by: { $0.offset < $1.offset }) {
            guard isSeen.indices.contains(block.mapIndex), !isSeen[block.mapIndex],
                let status = outputs.statuses[block.mapIndex], status.mapTask == block.mapTask,
                status.sizes[reduce] >= block.length, block.length <= maximum
            else { continue }
            isSeen[block.mapIndex] = true
            if let last = chunks.indices.last, chunks[last].range.upperBound == block.offset,
                chunks[last].range.count < minimum
            {
                chunks[last].blocks.append(block)
            } else {
                chunks.append(Chunk(blocks: [block]))
            }
        }
        return chunks.reversed()
    }

    // MARK: Requests

    private func startRequests() throws {
        while let chunk = waiting?.last {
            let size = chunk.range.count
            let isFirst = underWay.isEmpty && ready.isEmpty
            guard isFirst || bytesInFlight + size <= runtime.maxBytesInFlight else { return }
            guard try consumer.grow(to: held + size) else {
                if isFirst { waiting = [] }
                return
            }
            waiting?.removeLast()
            underWay.append((chunk, start(".data", part: chunk.range)))
            bytesInFlight += size
            held += size
        }
    }

    private func collect() throws {
        let (chunk, fetch) = underWay.removeFirst()
        bytesInFlight -= chunk.range.count
        do throws(BlockFetchError) {
            let bytes = try wait(for: fetch)
            take(chunk, bytes)
        } catch {
            held -= chunk.range.count
            waiting = []
            try giveUp(error)
        }
    }

    /// Hands on what is as it was written, in as large pieces as it is there, and crosses it off.
    private func take(_ chunk: Chunk, _ bytes: [UInt8]) {
        let start = chunk.range.lowerBound
        var run = 0..<0
        var pieces: [Range<Int>] = []
        for block in chunk.blocks {
            let range = (block.offset - start)..<(block.end - start)
            guard range.upperBound <= bytes.count,
                CRC32C.checksum(bytes[range]) == block.checksum
            else {
                Log.warn(
                    "executor", "a merged block is damaged, its map output is read instead",
                    [
                        "shuffle": outputs.shuffle, "map": block.mapIndex, "reduce": reduce,
                        "merged on the host of": merger.rawValue,
                    ])
                held -= range.count
                continue
            }
            outputs.statuses[block.mapIndex] = nil
            if range.lowerBound == run.upperBound {
                run = run.lowerBound..<range.upperBound
            } else {
                if !run.isEmpty { pieces.append(run) }
                run = range
            }
        }
        if !run.isEmpty { pieces.append(run) }
        ready += pieces.map { $0.count == bytes.count ? bytes : Array(bytes[$0]) }
    }

    private func giveBack() {
        held -= handedOut
        handedOut = 0
        consumer.shrink(to: held)
    }

    // MARK: The merger

    private func start(_ suffix: String, part: Range<Int>?) -> any BlockFetch {
        // Looked at before this was made.
        runtime.pusher.connected!.start(name + suffix, part: part, at: merger)
    }

    private func ask(_ suffix: String, part: Range<Int>?) throws(BlockFetchError) -> [UInt8] {
        try wait(for: start(suffix, part: part))
    }

    /// Not longer than the task is wanted: then it's a failure like any other, and `giveUp` sees
    /// that the task is to end.
    private func wait(for fetch: any BlockFetch) throws(BlockFetchError) -> [UInt8] {
        do {
            guard let task = TaskContext.current else { return try fetch.wait()[0] }
            return try task.waiting(wakenBy: { fetch.cancel() }) { try fetch.wait() }[0]
        } catch let error as BlockFetchError { throw error } catch {
            throw BlockFetchError(index: 0, message: "\(error)")
        }
    }

    private func giveUp(_ error: BlockFetchError) throws {
        try TaskContext.current?.killTaskIfInterrupted()
        Log.warn(
            "executor", "merged blocks cannot be read, their map outputs are read instead",
            [
                "shuffle": outputs.shuffle, "reduce": reduce,
                "merged on the host of": merger.rawValue, "reason": error,
            ])
        runtime.pusher.giveUp(merger, outputs.shuffle, plan.merge)
    }
}
