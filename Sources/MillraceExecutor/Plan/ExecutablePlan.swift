import MillraceBase
import MillraceWire

/// A plan decoded and kept by an executor: shared by all its tasks, on any thread.
public final class ExecutablePlan: Sendable {
    struct Node: Sendable {
        let op: any PlanOperator
        let children: [Int]
        let shuffleInput: Int?
    }

    let nodes: [Node]
    let sink: any PlanSink
    var root: Int { nodes.count - 1 }
    /// Number of shuffles that the stage reads.
    public let shuffleInputs: Int

    /// Decodes a plan. Throws `PlanError`, `ByteError`, `MillraceError` or `DecodingError` when the
    /// bytes are of another build or damaged.
    public init(decoding bytes: [UInt8]) throws {
        let tree = try PlanTree(decoding: bytes)
        nodes = try tree.nodes.map { node in
            guard let type = try PlanTypes.type(of: node.type) as? any PlanOperator.Type else {
                throw PlanError("the plan names a type that is not an operator")
            }
            return Node(
                op: try PlanTypes.decode(type, from: node.body), children: node.children,
                shuffleInput: node.shuffleInput)
        }
        guard let type = try PlanTypes.type(of: tree.sinkType) as? any PlanSink.Type else {
            throw PlanError("the plan names a type that is not a sink")
        }
        sink = try PlanTypes.decode(type, from: tree.sinkBody)
        shuffleInputs = nodes.reduce(0) { max($0, ($1.shuffleInput ?? -1) + 1) }
    }

    /// Runs one task on the calling thread. Throws what user code throws, `FetchFailure`,
    /// `TaskKilled`.
    public func run(_ task: TaskContext) throws -> TaskOutput {
        try sink.run(
            partition: task.partition, inputs: PlanInputs(plan: self, node: nil, task: task),
            task: task)
    }

    func open(_ node: Int, partition: Int, task: TaskContext) throws -> AnyObject {
        try nodes[node].op.open(
            partition: partition, inputs: PlanInputs(plan: self, node: node, task: task), task: task
        )
    }
}

/// Operators and their types ⇄ bytes.
enum PlanTypes {
    static func type(of bytes: [UInt8]) throws -> Any.Type {
        try BinaryDecoder().decode(TypeReference.self, from: bytes).type
    }
    static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws -> Value {
        try BinaryDecoder().decode(Value.self, from: bytes)
    }
}

extension PlanTree.Node {
    /// Encodes an operator. Throws `MillraceError.notSerializable` when a kernel captures what
    /// cannot travel.
    public init(_ op: any PlanOperator, children: [Int], shuffleInput: Int? = nil) throws {
        self.init(
            type: try BinaryEncoder().encode(TypeReference(Swift.type(of: op))),
            body: try BinaryEncoder().encode(op), children: children, shuffleInput: shuffleInput)
    }
}

extension PlanTree {
    /// Adds the sink. Throws as `Node.init`.
    public init(nodes: [Node], sink: any PlanSink) throws {
        self.init(
            nodes: nodes, sinkType: try BinaryEncoder().encode(TypeReference(type(of: sink))),
            sinkBody: try BinaryEncoder().encode(sink))
    }
}
