import MillraceBase
import MillraceCore

/// The bytes that travel with a task, by (node of the plan, partition of that node): a slice of
/// `parallelize`, a file split, an offset range. Empty for stages that only read shuffles. A
/// union's or coalesce's task holds several.
public struct TaskInput: Sendable {
    public struct Item: Sendable {
        public var node: Int
        public var partition: Int
        public var bytes: [UInt8]
        public init(node: Int, partition: Int, bytes: [UInt8]) {
            self.node = node
            self.partition = partition
            self.bytes = bytes
        }
    }
    public var items: [Item]

    public init(_ items: [Item] = []) { self.items = items }

    /// What `TaskDescription.input` carries. No items are no bytes.
    public func encode() -> [UInt8] {
        var writer = TaskInputWriter()
        for item in items {
            writer.append(node: item.node, partition: item.partition) { $0.writeRaw(item.bytes) }
        }
        var inputs = TaskInputs()
        writer.endTask(into: &inputs)
        return Array(inputs[0])
    }

    /// Throws `ByteError` for bytes that `encode` did not write.
    public init(decoding bytes: ArraySlice<UInt8>) throws {
        items = []
        if bytes.isEmpty { return }
        var reader = ByteReader(bytes)
        for _ in 0..<(try reader.readCount(minimumSize: 3)) {
            let node = try reader.readVarint()
            let partition = try reader.readVarint()
            guard node < 1 << 31, partition < 1 << 31 else {
                throw reader.failure("node or partition")
            }
            items.append(
                Item(node: Int(node), partition: Int(partition), bytes: try reader.readBytes()))
        }
        try reader.expectEnd()
    }

    func bytes(node: Int, partition: Int) throws -> [UInt8] {
        for item in items where item.node == node && item.partition == partition {
            return item.bytes
        }
        throw PlanError("the task has no input for operator \(node), partition \(partition)")
    }
}
