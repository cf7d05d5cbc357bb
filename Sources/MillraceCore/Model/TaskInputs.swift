/// The bytes that travel with the tasks of a stage, by partition: one array for all, because a
/// stage may have a hundred thousand tasks with a few bytes each.
public struct TaskInputs: Hashable, Sendable {
    private var bytes: [UInt8] = []
    /// Where each partition's bytes end.
    private var ends: [Int] = []

    /// No task needs any.
    public init() {}
    public init(_ inputs: some Sequence<[UInt8]>) {
        for input in inputs { append(input) }
    }

    public var isEmpty: Bool { ends.isEmpty }
    /// Partitions.
    public var count: Int { ends.count }

    /// Shares the storage.
    public subscript(partition: Int) -> ArraySlice<UInt8> {
        bytes[(partition == 0 ? 0 : ends[partition - 1])..<ends[partition]]
    }

    public mutating func reserveCapacity(_ count: Int) { ends.reserveCapacity(count) }

    /// The next partition's.
    public mutating func append(_ input: some Collection<UInt8>) {
        bytes.append(contentsOf: input)
        ends.append(bytes.count)
    }

    public mutating func removeAll() { self = TaskInputs() }
}

extension TaskInputs: ExpressibleByArrayLiteral {
    public init(arrayLiteral inputs: [UInt8]...) { self.init(inputs) }
}
