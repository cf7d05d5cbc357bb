import MillraceBase

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

    /// Decodes a plan. Throws `PlanError` or `ByteError` when the bytes are of another build or damaged.
    public init(decoding bytes: [UInt8]) throws {
        preconditionFailure("not there yet")
    }

    /// Runs one task on the calling thread. Throws what user code throws, `FetchFailure`, `TaskCancelled`.
    public func run(_ task: TaskContext) throws -> TaskOutput {
        try sink.run(
            partition: task.partition, inputs: PlanInputs(plan: self, node: nil, task: task), task: task)
    }

    func open(_ node: Int, partition: Int, task: TaskContext) throws -> AnyObject {
        try nodes[node].op.open(
            partition: partition, inputs: PlanInputs(plan: self, node: node, task: task), task: task)
    }
}
