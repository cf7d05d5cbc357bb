/// `millrace kafka-dev`: librdkafka's mock cluster in a process of its own.
public enum KafkaDev {
    /// Runs until SIGTERM, SIGINT or (with `--die-with-parent`) its parent's death. `arguments` without the command's
    /// name. Returns the exit code: 0, 1 when the cluster cannot start, 2 for bad arguments (one line on stderr).
    public static func run(arguments: [String]) -> Int32 { preconditionFailure("soon") }
}

/// `millrace kafka-produce`: feeds numbered lines of real text to a topic, at a rate, exactly once each.
public enum KafkaProduce {
    /// Returns the exit code: 0 when every line was acknowledged, 1 when not, 2 for bad arguments.
    public static func run(arguments: [String]) -> Int32 { preconditionFailure("soon") }
}

/// The text that `kafka-produce` sends, as a sequence: line `n` goes to partition `n % partitions`, with `n` (decimal)
/// as its key and the text as its value. The same on every run, so that an independent count can be made.
public struct TextLines: Sequence, Sendable {
    public struct Line: Sendable {
        public var number: Int
        public var text: [UInt8]
    }
    /// The regular files under `directory` in the order of their names, their non-empty lines in order, over and over
    /// up to `count`. Throws `.invalidOption` when there is no line.
    public init(
        directory: String = "/usr/share/common-licenses", count: Int, from first: Int = 0
    ) throws(KafkaError) { preconditionFailure("soon") }

    public struct Iterator: IteratorProtocol {
        public mutating func next() -> Line? { nil }
    }
    public func makeIterator() -> Iterator { Iterator() }
}
