import MillraceBase

/// Fetches blocks from peers, over a small pool of connections to each. Loop-owned.
public final class BlockClient {
    public let loop: EventLoop

    public init(loop: EventLoop, tls: TLSContext? = nil, options: BlockOptions = .init()) {
        preconditionFailure("to be written")
    }

    /// Asks one peer for blocks. `onBlock` is called on the loop exactly once per request, with its index:
    /// as blocks arrive (in order), or with the error. `deadline` covers all of it.
    @discardableResult
    public func fetch(
        _ peer: Endpoint, _ requests: [BlockRequest], deadline: Instant,
        onBlock: @escaping (_ index: Int, _ result: Result<[UInt8], BlockError>) -> Void
    ) -> BlockFetch {
        preconditionFailure("to be written")
    }

    /// Ends open fetches with `.cancelled` and closes all connections.
    public func close() { preconditionFailure("to be written") }
}

/// A fetch under way.
public final class BlockFetch {
    init() {}

    /// Blocks that have neither arrived nor failed.
    public var remaining: Int { preconditionFailure("to be written") }

    /// Gives up what has not arrived: each of those gets `.cancelled`.
    public func cancel() { preconditionFailure("to be written") }
}
