import MillraceBase

/// A stage's plan as bytes: a tree (in general a DAG) of operator nodes, children before parents,
/// and a sink.
///
/// The same program gives the same bytes on each run and in each process of one build, so that
/// their hash names the plan and executors keep it decoded (`ExecutablePlan`).
public struct PlanTree: Sendable {
    /// One operator: its type's name, itself encoded, its children, and the shuffle that it reads
    /// (numbered from 0 in the order of `nodes`).
    public struct Node: Sendable {
        public var type: [UInt8]
        public var body: [UInt8]
        public var children: [Int]
        public var shuffleInput: Int?
        public init(type: [UInt8], body: [UInt8], children: [Int], shuffleInput: Int? = nil) {
            self.type = type
            self.body = body
            self.children = children
            self.shuffleInput = shuffleInput
        }
    }

    /// Each node's children have smaller numbers than itself. The last node is the root, which the
    /// sink reads.
    public var nodes: [Node]
    public var sinkType: [UInt8]
    public var sinkBody: [UInt8]

    public init(nodes: [Node], sinkType: [UInt8], sinkBody: [UInt8]) {
        self.nodes = nodes
        self.sinkType = sinkType
        self.sinkBody = sinkBody
    }

    /// First byte of an encoded plan; another one is refused.
    static let version: UInt8 = 1

    public func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.writeByte(Self.version)
        writer.writeCount(nodes.count)
        for node in nodes {
            writer.writeBytes(node.type)
            writer.writeBytes(node.body)
            writer.writeCount(node.children.count)
            for child in node.children { writer.writeCount(child) }
            writer.writeCount(node.shuffleInput.map { $0 + 1 } ?? 0)
        }
        writer.writeBytes(sinkType)
        writer.writeBytes(sinkBody)
        return writer.bytes
    }

    /// Reads what `encode` wrote. Throws `ByteError` for anything else.
    public init(decoding bytes: [UInt8]) throws {
        var reader = ByteReader(bytes)
        guard try reader.readByte() == Self.version else {
            throw reader.failure("not a plan of version \(Self.version)")
        }
        let count = try reader.readCount(minimumSize: 4)
        guard count > 0 else { throw reader.failure("a plan without operators") }
        nodes = []
        for index in 0..<count {
            let type = try reader.readBytes()
            let body = try reader.readBytes()
            let children = try (0..<(try reader.readCount())).map { _ in
                let child = try reader.readVarint()
                guard child < index else { throw reader.failure("child \(child) of node \(index)") }
                return Int(child)
            }
            let shuffle = try reader.readVarint()
            guard shuffle <= UInt64(count) else { throw reader.failure("shuffle input \(shuffle)") }
            nodes.append(
                Node(
                    type: type, body: body, children: children,
                    shuffleInput: shuffle == 0 ? nil : Int(shuffle) - 1))
        }
        sinkType = try reader.readBytes()
        sinkBody = try reader.readBytes()
        try reader.expectEnd()
    }
}
