/// One step of a stage, as it travels: a generic `Codable` type that is named by its mangled type
/// name and found again by it (`PlanTree`), with what the user wrote inside as `Shipped` kernels.
///
/// Holds nothing that differs between two runs of the same program (no ids) and nothing per
/// partition: slices, file splits and offset ranges come through `PlanInputs.input(partition:)`,
/// shuffles are numbered locally.
public protocol PlanOperator: Codable, Sendable {
    /// A `Cursor<Element>` over partition `partition` of this operator's output. Called on a task
    /// thread; keeps nothing in the operator itself, which is shared by all tasks of the process.
    func open(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> AnyObject
}

/// The end of a stage: pulls the rows of one partition and makes the task's output of them.
public protocol PlanSink: Codable, Sendable {
    func run(partition: Int, inputs: PlanInputs, task: TaskContext) throws -> TaskOutput
}

/// What a task hands back.
public enum TaskOutput: Sendable {
    /// Of a result stage: `RowCodec` bytes that the action's driver side decodes.
    case result([UInt8])
    /// Of a map stage: bytes for each reduce partition; the data itself went to the
    /// `ShuffleEnvironment`.
    case mapOutput(sizes: [UInt64])
}

/// What an operator sees of its place in the plan: its children, its per-partition bytes, its
/// shuffle.
public struct PlanInputs {
    @usableFromInline let plan: ExecutablePlan
    /// The operator's node; nil for the sink, whose only child is the root.
    @usableFromInline let node: Int?
    @usableFromInline let task: TaskContext

    @usableFromInline init(plan: ExecutablePlan, node: Int?, task: TaskContext) {
        self.plan = plan
        self.node = node
        self.task = task
    }

    /// Number of children.
    public var count: Int { node.map { plan.nodes[$0].children.count } ?? 1 }

    /// Opens partition `partition` of child `child`. A cursor of another element type is a bug of
    /// the API layer.
    public func open<Element>(
        _ child: Int = 0, partition: Int, of: Element.Type = Element.self
    ) throws -> Cursor<Element> {
        let index = node.map { plan.nodes[$0].children[child] } ?? plan.root
        let opened = try plan.open(index, partition: partition, task: task)
        guard let cursor = opened as? Cursor<Element> else {
            preconditionFailure("child \(child) yields \(type(of: opened)), not \(Element.self)")
        }
        return cursor
    }

    /// The bytes that the driver sent for this operator and `partition`. Throws `PlanError` when it
    /// sent none.
    public func input(partition: Int) throws -> [UInt8] {
        guard let node else { preconditionFailure("a sink has no input of its own") }
        return try task.input.bytes(node: node, partition: partition)
    }

    /// The local number of the shuffle that this operator reads. Only for operators that were
    /// declared as readers.
    public var shuffleInput: Int {
        guard let node, let index = plan.nodes[node].shuffleInput else {
            preconditionFailure("this operator reads no shuffle")
        }
        return index
    }
}

/// A plan or a task's input that cannot be what this program wrote: another build, or damaged
/// bytes.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
