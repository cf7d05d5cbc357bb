import MillraceBase
import MillraceStore
import MillraceWire

/// Writes a partition to a file of a checkpoint folder, durably and under its name only when it is
/// whole. Sends the file's path.
///
/// A file is LZ4 blocks (`LZ4`), each some rows of `RowCodec`.
public struct CheckpointSink<Element>: PlanSink {
    public let folder: String
    public init(folder: String) { self.folder = folder }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let codec = try RowCodec<Element>()
        let rows = try inputs.open(partition: partition, of: Element.self)
        let path = StorePath.join(folder, TextOutput.partName(partition))
        let fileSystem = PosixFileSystem()
        let temporary = StorePath.join(
            folder, TemporaryName.next(for: TextOutput.partName(partition)))
        do throws(any Error) {
            let file = try fileSystem.create(temporary, exclusively: true)
            let chunk = RowBuffer<Element>()
            while try rows.next(into: chunk) {
                try task.killTaskIfInterrupted()
                var batch = ByteWriter(capacity: 16 + chunk.count * MemoryLayout<Element>.stride)
                try codec.encode(chunk, into: &batch)
                try file.write(LZ4.compress(batch.bytes))
                task.metrics.recordsWritten += chunk.count
                task.metrics.bytesWritten += batch.count
            }
            try file.sync()
            try file.close()
            try fileSystem.rename(temporary, to: path, replacing: true)
            try fileSystem.syncFolder(folder)
        } catch {
            try? fileSystem.delete(temporary)
            throw error
        }
        return .result(Array(path.utf8))
    }
}

/// The rows of a partition that a checkpoint wrote. The input is the file's path.
public struct CheckpointRows<Element>: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let path = String(decoding: try inputs.input(partition: partition), as: UTF8.self)
        let file = try PosixFileSystem().open(path)
        let size = try file.size()
        let codec = try RowCodec<Element>()
        var position = 0
        return PullCursor<Element> { chunk in
            try task.killTaskIfInterrupted()
            guard position < size else { return false }
            let head = try file.read(at: position, count: LZ4.headerSize)
            guard let stored = LZ4.blockSize(head) else {
                throw StoreError.corrupt(path, at: position, "a block's header is cut off")
            }
            let block = try file.read(at: position, count: stored)
            do {
                var reader = ByteReader(try LZ4.decompress(block))
                while !reader.isAtEnd { try codec.decode(from: &reader, into: chunk) }
            } catch let error as ByteError {
                throw StoreError.corrupt(path, at: position, error.reason)
            }
            position += stored
            task.metrics.bytesRead += stored
            task.metrics.recordsRead += chunk.count
            return true
        }
    }
}

/// Stands where a local checkpoint cut the lineage: reached only when the executor that kept a
/// block is lost.
public struct LostRows<Element>: PlanOperator {
    public init() {}

    public func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject {
        let block = String(decoding: try inputs.input(partition: partition), as: UTF8.self)
        throw MillraceError(
            .notFound,
            "checkpoint block \(block) is lost with the executor that kept it; localCheckpoint "
                + "cannot compute it again, checkpoint could")
    }
}
