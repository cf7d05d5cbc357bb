import MillraceBase
import MillraceCore

/// Writes what `TaskInput` reads, one task after the other without an allocation for each: a stage
/// may have a hundred thousand.
public struct TaskInputWriter {
    private var items: [(node: Int, partition: Int)] = []
    private var body = ByteWriter()
    private var item = ByteWriter()
    private var task = ByteWriter()

    public init() {}

    /// Whether this task has that item already.
    public func contains(node: Int, partition: Int) -> Bool {
        items.contains { $0.node == node && $0.partition == partition }
    }

    /// The bytes of an operator for one of its partitions.
    public mutating func append(
        node: Int, partition: Int, _ write: (inout ByteWriter) throws -> Void
    ) rethrows {
        item.bytes.removeAll(keepingCapacity: true)
        try write(&item)
        items.append((node, partition))
        body.writeCount(node)
        body.writeCount(partition)
        body.writeBytes(item.bytes)
    }

    /// Ends the task and begins the next one. No items are no bytes.
    public mutating func endTask(into inputs: inout TaskInputs) {
        task.bytes.removeAll(keepingCapacity: true)
        if !items.isEmpty {
            task.writeCount(items.count)
            task.writeRaw(body.bytes)
        }
        inputs.append(task.bytes)
        items.removeAll(keepingCapacity: true)
        body.bytes.removeAll(keepingCapacity: true)
    }
}
