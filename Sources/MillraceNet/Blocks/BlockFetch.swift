import MillraceBase

/// A fetch or push under way. Loop-owned.
public final class BlockFetch {
    public let peer: Endpoint
    /// Blocks that have neither arrived nor failed.
    public private(set) var remaining: Int

    let stream: UInt32
    let requests: [BlockRequest]
    /// What it gives the peer, until that is sent; nil for one that asks only.
    var pushed: [UInt8]?
    let sink: (any BlockSink)?
    private let loop: EventLoop
    private var isAnswered: [Bool]
    private var onBlock: ((Int, Result<[UInt8], BlockError>) -> Void)?
    private var timer: TimerToken?
    /// The connection is told when nothing more is wanted; nil until the fetch has one.
    weak var connection: BlockClientConnection?

    init(
        loop: EventLoop, peer: Endpoint, stream: UInt32, requests: [BlockRequest],
        pushed: [UInt8]? = nil, deadline: Instant, sink: (any BlockSink)? = nil,
        onBlock: @escaping (Int, Result<[UInt8], BlockError>) -> Void
    ) {
        self.loop = loop
        self.peer = peer
        self.stream = stream
        self.requests = requests
        self.pushed = pushed
        self.sink = sink
        self.onBlock = onBlock
        remaining = requests.count
        isAnswered = Array(repeating: false, count: requests.count)
        guard !requests.isEmpty else { return }
        timer = loop.schedule(at: deadline) { [weak self] in self?.giveUp(.deadlineExceeded) }
    }

    var isDone: Bool { remaining == 0 }

    /// Gives up what has not arrived: each of those gets `.cancelled`.
    public func cancel() {
        loop.preconditionOnLoop()
        giveUp(.cancelled)
    }

    private func giveUp(_ error: BlockError) {
        guard !isDone else { return }
        connection?.forget(self)
        fail(error)
    }

    /// Whether that block is still waited for.
    func isWaiting(for index: Int) -> Bool {
        requests.indices.contains(index) && !isAnswered[index] && !isDone
    }

    func answer(_ index: Int, _ result: Result<[UInt8], BlockError>) {
        guard isWaiting(for: index) else { return }
        isAnswered[index] = true
        remaining -= 1
        let callback = onBlock
        if isDone { finish() }
        callback?(index, result)
    }

    /// Every block that is still missing gets this error.
    func fail(_ error: BlockError) {
        guard !isDone else { return }
        let callback = onBlock
        let missing = isAnswered.indices.filter { !isAnswered[$0] }
        for index in missing { isAnswered[index] = true }
        remaining = 0
        finish()
        for index in missing { callback?(index, .failure(error)) }
    }

    private func finish() {
        onBlock = nil
        if let timer = timer.take() { loop.cancel(timer) }
    }
}
