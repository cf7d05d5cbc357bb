import MillraceBase

/// How executors hand on what they have before they go: `millrace.storage.decommission.*`.
public struct DepartureSettings: Hashable, Sendable {
    /// Whether map outputs are moved at all.
    public var movesOutputs = true
    /// Outputs of one executor that are on their way at a time.
    public var maxMoves = 8
    /// Attempts to move one output.
    public var maxFailures = 3
    /// How long an executor without tasks waits for somebody to take its outputs.
    public var patience: Duration = .seconds(30)

    public init() {}
}

/// An executor between its decommission and its end.
struct Departure: Sendable {
    let executor: ExecutorID
    /// Outputs that haven't been sent, in no order.
    var waiting: [OutputMove] = []
    var moving: [OutputMove] = []
    /// By output, how often it couldn't be moved.
    var failures: [(move: OutputMove, count: Int)] = []
    var moved = 0
    /// Whoever gets the next output comes after this one.
    var lastPeer = -1
    /// From then on nobody is waited for to take what is left.
    var givesUpAt: Instant?
    /// Tasks before this one may still read what was moved from where it was.
    var readersBefore = TaskID(0)
    /// One of those, which runs.
    var reader: TaskID?

    func failureCount(_ move: OutputMove) -> Int {
        failures.first { $0.move.isSame(move) }?.count ?? 0
    }

    mutating func countFailure(_ move: OutputMove) {
        if let place = failures.firstIndex(where: { $0.move.isSame(move) }) {
            failures[place].count += 1
        } else {
            failures.append((move, 1))
        }
    }
}
