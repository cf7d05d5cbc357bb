import MillraceBase

/// The shuffle services that merge, named by executors on their hosts. Any thread.
protocol PushMerger: Sendable {
    /// Starts a request for what is served under a name, or for a part of it.
    func start(_ name: String, part: Range<Int>?, at merger: ExecutorID) -> any BlockFetch
    /// Starts a push; its answer comes as the one block.
    func push(_ bytes: [UInt8], to merger: ExecutorID) -> any BlockFetch
}

/// `millrace.shuffle.push.*`, as far as executors go by them.
public struct PushSettings: Sendable {
    /// A larger block is not pushed.
    var maxBlockSize = 1 << 20
    /// Neighbouring blocks travel together up to this size.
    var maxBatchSize = 3 << 20
    /// Merged blocks are read in pieces of at least this size.
    var minChunkSize = 2 << 20

    public init() {}

    public init(_ conf: Conf) {
        maxBlockSize = conf.shufflePush.maxBlockSize.bytes
        maxBatchSize = conf.shufflePush.maxBatchSize.bytes
        minChunkSize = conf.shufflePush.minChunkSize.bytes
    }
}
