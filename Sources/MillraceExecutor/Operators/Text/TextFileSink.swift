import MillraceBase
import MillraceStore
import MillraceWire

/// Writes a partition as a text file, one line per row: `saveAsTextFile`.
///
/// The file lies in a folder of this attempt's own; the task's result is its path. The driver lets
/// one attempt of a partition commit, and moves only that one's file to its final name: another
/// attempt never shows, and takes away what it wrote.
public struct TextFileSink<Element>: PlanSink {
    /// Appends the lines of a chunk, each with its line end.
    public typealias Kernel = @Sendable (RowBuffer<Element>, inout [UInt8]) throws -> Void
    /// Folder for the attempts' folders.
    public let folder: String
    public let kernel: Shipped<Kernel>

    @inlinable public init(folder: String, _ kernel: @escaping Kernel) {
        self.folder = folder
        self.kernel = Shipped(kernel)
    }

    public func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput {
        let rows = try inputs.open(partition: partition, of: Element.self)
        let attempt = "attempt-\(task.stage.rawValue)-\(task.stageAttempt)-\(task.taskID.rawValue)"
        let fileSystem = PosixFileSystem()
        let directory = StorePath.join(folder, attempt)
        let path = StorePath.join(directory, TextOutput.partName(partition))
        do {
            try fileSystem.makeFolders(directory)
            let file = try fileSystem.create(path, exclusively: true)
            do {
                try write(rows, to: file, task)
                try file.close()
                try task.requestCommit()
            } catch {
                try? fileSystem.deleteTree(directory)
                throw error
            }
        } catch let error as StoreError {
            throw error.asMillraceError
        }
        return .result(Array(path.utf8))
    }

    private func write(_ rows: Cursor<Element>, to file: any WritableFile, _ task: TaskContext)
        throws
    {
        let chunk = RowBuffer<Element>()
        var bytes: [UInt8] = []
        while try rows.next(into: chunk) {
            try task.killTaskIfInterrupted()
            task.metrics.recordsWritten += chunk.count
            try kernel.function(chunk, &bytes)
            if bytes.count >= TextOutput.bufferSize { try flush(&bytes, to: file, task) }
        }
        try flush(&bytes, to: file, task)
    }

    private func flush(
        _ bytes: inout [UInt8], to file: any WritableFile, _ task: TaskContext
    ) throws {
        try file.write(bytes)
        task.metrics.bytesWritten += bytes.count
        bytes.removeAll(keepingCapacity: true)
    }
}

/// Names and sizes of text output.
public enum TextOutput {
    static let bufferSize = 256 << 10

    /// `part-00007`.
    public static func partName(_ partition: Int) -> String {
        let digits = String(partition)
        return "part-" + String(repeating: "0", count: max(5 - digits.count, 0)) + digits
    }
}
