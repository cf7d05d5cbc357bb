import MillraceBase
import MillraceNet

/// One block of a map output: what a reduce task asks an executor for.
public struct BlockID: Hashable, Sendable, CustomStringConvertible {
    public var shuffle: ShuffleID
    public var mapTask: TaskID
    public var reduce: Int
    public init(shuffle: ShuffleID, mapTask: TaskID, reduce: Int) {
        self.shuffle = shuffle
        self.mapTask = mapTask
        self.reduce = reduce
    }

    /// Spark's name of the block; also its name on the data plane.
    public var description: String {
        "shuffle_\(shuffle.rawValue)_\(mapTask.rawValue)_\(reduce)"
    }

    /// Reads `description`. Nil for anything else.
    public init?(_ name: some StringProtocol) {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "shuffle", let shuffle = Int(parts[1]),
            let task = Int(parts[2]), let reduce = Int(parts[3]), shuffle >= 0, task >= 0,
            reduce >= 0
        else { return nil }
        self.init(shuffle: ShuffleID(shuffle), mapTask: TaskID(task), reduce: reduce)
    }
}

/// Gets blocks from other executors. Called on task threads.
public protocol BlockFetcher: Sendable {
    /// Starts a request for blocks by their names and returns at once.
    func start(names: [String], from executor: ExecutorID) -> any BlockFetch
    /// Starts a request for one block, whose bytes go to `sink`; the fetch brings none.
    func start(
        name: String, from executor: ExecutorID, into sink: any BlockSink
    ) -> any BlockFetch
    /// Starts a request for a part of one block; what comes is shorter at the block's end.
    func start(
        part: Range<Int>, of name: String, from executor: ExecutorID
    ) -> any BlockFetch
    /// Where an executor of this host keeps its map outputs; nil when that isn't known, or the
    /// files cannot be read from here.
    func folder(of executor: ExecutorID) -> String?
    /// Tells another executor something, without waiting: what cannot be sent is lost. On any
    /// thread.
    func tell(_ executor: ExecutorID, _ notice: [UInt8])
}

extension BlockFetcher {
    func start(_ blocks: [BlockID], from executor: ExecutorID) -> any BlockFetch {
        start(names: blocks.map(\.description), from: executor)
    }
    public func tell(_ executor: ExecutorID, _ notice: [UInt8]) {}
    public func folder(of executor: ExecutorID) -> String? { nil }
}

/// A request under way.
public protocol BlockFetch: AnyObject, Sendable {
    /// The blocks in the order asked for. Waits for them, at most for the fetch deadline of the
    /// settings. Throws `BlockFetchError`.
    func wait() throws -> [[UInt8]]
    /// Ends the wait: nobody wants the blocks any more. Any thread.
    func cancel()
}

/// Why blocks did not come.
public struct BlockFetchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first block that is missing or damaged, as an index into the request; 0 when the peer
    /// could not be reached.
    public var index: Int
    public var message: String
    public init(index: Int, message: String) {
        self.index = index
        self.message = message
    }
    public var description: String { message }
}

/// For a master whose only executor is the driver itself: there is nobody to fetch from.
public struct NoBlockFetcher: BlockFetcher {
    public init() {}
    public func start(names: [String], from executor: ExecutorID) -> any BlockFetch {
        Refused()
    }
    public func start(
        name: String, from executor: ExecutorID, into sink: any BlockSink
    ) -> any BlockFetch { Refused() }
    public func start(
        part: Range<Int>, of name: String, from executor: ExecutorID
    ) -> any BlockFetch { Refused() }

    private final class Refused: BlockFetch {
        func wait() throws -> [[UInt8]] {
            throw BlockFetchError(index: 0, message: "there are no other executors")
        }
        func cancel() {}
    }
}
