import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire

/// Neighbouring blocks of a map output that go to one merger: one read, one push.
struct PushBatch: Hashable {
    var merger: ExecutorID
    /// Reduce partitions; those without a block are left out.
    var reducers: [Int]

    /// Cuts a map output. Empty blocks are nothing, and large ones are not pushed.
    static func cut(
        _ segments: [ShuffleDataFile.Segment], _ settings: PushSettings, _ plan: MergePlan
    ) -> [PushBatch] {
        var batches: [PushBatch] = []
        var size = 0
        for (reduce, segment) in segments.enumerated() where segment.length > 0 {
            guard segment.length <= settings.maxBlockSize else {
                // The next one is no neighbour of the one before.
                size = .max / 2
                continue
            }
            let merger = plan.merger(of: reduce, reducers: segments.count)
            if let last = batches.indices.last, batches[last].merger == merger,
                size + segment.length <= settings.maxBatchSize
            {
                batches[last].reducers.append(reduce)
                size += segment.length
            } else {
                batches.append(PushBatch(merger: merger, reducers: [reduce]))
                size = segment.length
            }
        }
        return batches
    }

    /// The push; nil when none of its blocks is what was written. Throws `StoreError`.
    func read(from file: ShuffleDataFile, of work: OutputPusher.Work) throws -> [UInt8]? {
        let segments = reducers.map { file.segments[$0] }
        let start = segments[0].offset
        let end = segments[segments.count - 1].offset + segments[segments.count - 1].length
        let bytes = try file.openData(reducers[0]).read(at: start, count: end - start)
        var pushed = PushedBlocks(
            shuffle: work.shuffle, merge: work.plan.merge, mapIndex: work.mapIndex,
            mapTask: work.mapTask)
        var whole: [Range<Int>] = []
        for (reduce, segment) in zip(reducers, segments) {
            let range = (segment.offset - start)..<(segment.offset - start + segment.length)
            guard range.upperBound <= bytes.count,
                CRC32C.checksum(bytes[range]) == segment.checksum
            else { continue }
            whole.append(range)
            pushed.blocks.append(
                .init(reduce: reduce, length: segment.length, checksum: segment.checksum))
        }
        guard !whole.isEmpty else { return nil }
        var payload = pushed.encodedHead(reserving: bytes.count)
        for range in whole { payload.append(contentsOf: bytes[range]) }
        return payload
    }
}
