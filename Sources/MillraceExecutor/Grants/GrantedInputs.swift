import MillraceBase
import MillraceCore

/// What has arrived for this executor's tasks of one shuffle of the batch at work.
package struct GrantedInputs: Sendable {
    package private(set) var outputs: MapOutputs
    private(set) var missing: Int
    package private(set) var blocks = InlineBlocks()

    init(_ shuffle: ShuffleID, maps: Int) {
        outputs = MapOutputs(
            shuffle: shuffle, epoch: 0, statuses: [MapStatus?](repeating: nil, count: maps))
        missing = maps
    }

    /// The first word about a map output counts; false for another, or one that doesn't fit.
    mutating func take(_ ready: MapOutputReady, reducers: Int, room: inout Int) -> Bool {
        let index = ready.status.mapIndex
        guard outputs.statuses.indices.contains(index), outputs.statuses[index] == nil,
            ready.status.sizes.count == reducers
        else { return false }
        outputs.statuses[index] = ready.status
        missing -= 1
        for block in ready.blocks where block.bytes.count <= room {
            room -= block.bytes.count
            blocks.add(block.bytes, reduce: block.reduce, of: ready.status.mapTask)
        }
        return true
    }
}

/// Blocks that came with the word that they are there, by reduce partition and map task.
package struct InlineBlocks: Sendable {
    /// Bytes that an executor keeps for one batch; what comes beyond is fetched by the tasks.
    static let budget = 32 << 20

    private var blocks: [Int: [TaskID: [UInt8]]] = [:]

    mutating func add(_ bytes: [UInt8], reduce: Int, of mapTask: TaskID) {
        blocks[reduce, default: [:]][mapTask] = bytes
    }

    package func of(reduce: Int) -> [TaskID: [UInt8]] { blocks[reduce] ?? [:] }
}
