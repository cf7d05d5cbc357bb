import MillraceBase

/// Connections between the driver and its executors, as TCP gives them: bytes of one stream come in
/// order or not at all; a broken connection loses what is on its way; a partition holds everything
/// back until it heals, or until somebody gives up.
struct Network {
    struct Connection {
        var executor: Int
        /// Which life of the driver it leads to.
        var incarnation: Int
        var hosts: (driver: Int, executor: Int)
        /// By `Side`: whether that end still believes in it.
        var isOpen = [true, true]
        /// Nothing arrives any more, only the ends learn of it.
        var isBroken = false
        /// When the last byte sent to that side arrives.
        var lastArrival: [Instant]
        /// What waits for the end of a partition, by receiving side.
        var held: [[[UInt8]]] = [[], []]
        var isEndHeld = [false, false]
    }

    private(set) var connections: [Connection] = []
    /// By host, the hosts it cannot reach, as bits.
    private var blocked: [UInt64]
    let delay: Duration

    init(hosts: Int, delay: Duration) {
        blocked = [UInt64](repeating: 0, count: hosts)
        self.delay = delay
    }

    var count: Int { connections.count }

    subscript(connection: Int) -> Connection {
        _read { yield connections[connection] }
        _modify { yield &connections[connection] }
    }

    mutating func connect(
        executor: Int, incarnation: Int, driverHost: Int, executorHost: Int, now: Instant
    ) -> Int {
        connections.append(
            Connection(
                executor: executor, incarnation: incarnation, hosts: (driverHost, executorHost),
                lastArrival: [now, now]))
        return connections.count - 1
    }

    // MARK: Partitions

    func canReach(_ one: Int, _ other: Int) -> Bool { blocked[one] >> other & 1 == 0 }

    func isBlocked(_ connection: Int) -> Bool {
        let hosts = connections[connection].hosts
        return !canReach(hosts.driver, hosts.executor)
    }

    mutating func block(_ one: Int, _ other: Int) {
        blocked[one] |= 1 << other
        blocked[other] |= 1 << one
    }

    mutating func heal(_ one: Int, _ other: Int) {
        blocked[one] &= ~(1 << other)
        blocked[other] &= ~(1 << one)
    }

    // MARK: Bytes

    /// When bytes that are sent now to that side arrive.
    mutating func arrival(
        _ connection: Int, to side: Side, now: Instant, _ random: inout SplitMix64
    ) -> Instant {
        let earliest = connections[connection].lastArrival[side.rawValue] + .nanoseconds(1)
        let arrival = max(earliest, now + random.delay(delay))
        connections[connection].lastArrival[side.rawValue] = arrival
        return arrival
    }
}
