import MillraceBase

/// Where a server's blocks come from. Called on the loop: a memory table, or the opening of a file.
public protocol BlockProvider: AnyObject {
    func content(of request: BlockRequest) -> BlockContent
}

/// Serves blocks on one address, over the framed block stream. Loop-owned.
public final class BlockServer {
    public let loop: EventLoop
    public let address: SocketAddress

    /// Listens at once. The provider is kept. Throws `NetError`.
    public init(
        loop: EventLoop, address: SocketAddress, provider: any BlockProvider, tls: TLSContext? = nil,
        options: BlockOptions = .init()
    ) throws(NetError) {
        preconditionFailure("to be written")
    }

    /// Closes the listener and all connections.
    public func close() { preconditionFailure("to be written") }
}
