import MillraceBase
import MillraceStore
import MillraceWire

/// The beginning of a stage after a shuffle: the rows that all map tasks wrote for this partition,
/// batch by batch.
public struct ShuffleRead<Row>: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        ShuffleReadCursor<Row>(
            blocks: try task.shuffle.blocks(shuffleInput: inputs.shuffleInput, reduce: partition),
            codec: try RowCodec(), task: task)
    }
}

final class ShuffleReadCursor<Row>: Cursor<Row> {
    private let blocks: any ShuffleBlocks
    private let codec: RowCodec<Row>
    private let task: TaskContext
    private let cipher: BlockCipher?
    /// Frames, one after the other, and where the next one begins.
    private var block: [UInt8] = []
    private var position = 0
    /// The rows of the frame before it.
    private var reader = ByteReader([])

    init(blocks: any ShuffleBlocks, codec: RowCodec<Row>, task: TaskContext) {
        self.blocks = blocks
        self.codec = codec
        self.task = task
        cipher = task.shuffle.cipher
    }

    override func next(into chunk: RowBuffer<Row>) throws -> Bool {
        chunk.removeAll()
        while true {
            try task.killTaskIfInterrupted()
            if reader.isAtEnd {
                if position == block.count {
                    // Let go of, so that its memory can take the next one.
                    block = []
                    position = 0
                    guard let next = try blocks.next() else { return false }
                    task.metrics.bytesRead += next.count
                    block = next
                }
                do {
                    reader = ByteReader(try BlockFrame.unpack(block, at: &position, cipher))
                } catch { throw blocks.damaged(error) }
                continue
            }
            try codec.decode(from: &reader, into: chunk)
            task.metrics.recordsRead += chunk.count
            if !chunk.isEmpty { return true }
        }
    }
}
