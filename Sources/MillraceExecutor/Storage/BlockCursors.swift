import MillraceBase
import MillraceStore
import MillraceWire

/// Hands out copies of rows that are kept.
final class ChunkCursor<Element>: Cursor<Element> {
    private let chunks: [[Element]]
    private var position = 0
    private let task: TaskContext

    init(_ chunks: [[Element]], task: TaskContext) {
        self.chunks = chunks
        self.task = task
    }

    override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        try task.killTaskIfInterrupted()
        chunk.removeAll()
        guard position < chunks.count else { return false }
        chunk.append(copying: chunks[position])
        position += 1
        task.metrics.recordsRead += chunk.count
        return true
    }
}

/// Decodes frames, wherever they come from.
final class FrameCursor<Element>: Cursor<Element> {
    private let block: RDDBlockID
    private let codec: RowCodec<Element>
    private let task: TaskContext
    private let nextFrame: () throws -> [UInt8]?
    private let onDamage: () -> Void

    /// `nextFrame` gives whole frames, nil at the end. `onDamage` is called before a damaged frame
    /// is thrown.
    init(
        _ block: RDDBlockID, _ codec: RowCodec<Element>, task: TaskContext,
        nextFrame: @escaping () throws -> [UInt8]?, onDamage: @escaping () -> Void = {}
    ) {
        self.block = block
        self.codec = codec
        self.task = task
        self.nextFrame = nextFrame
        self.onDamage = onDamage
    }

    override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        chunk.removeAll()
        while chunk.isEmpty {
            try task.killTaskIfInterrupted()
            do {
                guard let frame = try nextFrame() else { return false }
                task.metrics.bytesRead += frame.count
                try BlockFrames.append(frame, of: block, codec, to: chunk)
            } catch {
                onDamage()
                throw error
            }
            task.metrics.recordsRead += chunk.count
        }
        return true
    }
}

/// Rows that are there already, then those of another cursor: a partition that did not fit.
final class ResumedCursor<Element>: Cursor<Element> {
    private var first: ArraySlice<[Element]>
    private let rest: Cursor<Element>
    private let emptied: () -> Void
    private var isEmptied = false

    /// `emptied` is called once, when the rows of `first` have all been handed out, or the cursor
    /// goes.
    init(_ first: [[Element]], then rest: Cursor<Element>, emptied: @escaping () -> Void) {
        self.first = first[...]
        self.rest = rest
        self.emptied = emptied
    }

    deinit { if !isEmptied { emptied() } }

    override func next(into chunk: RowBuffer<Element>) throws -> Bool {
        if let next = first.popFirst() {
            chunk.removeAll()
            chunk.append(copying: next)
            return true
        }
        if !isEmptied {
            isEmptied = true
            first = []
            emptied()
        }
        return try rest.next(into: chunk)
    }
}

extension RowBuffer {
    fileprivate func append(copying rows: [Row]) {
        rows.withUnsafeBufferPointer { rows in
            guard let source = rows.baseAddress else { return }
            append(room: rows.count) { memory in
                memory.initialize(from: source, count: rows.count)
                return rows.count
            }
        }
    }
}
