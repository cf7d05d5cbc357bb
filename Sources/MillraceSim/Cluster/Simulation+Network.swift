import MillraceBase
import MillraceCore

/// Bytes on their way.
extension Simulation {
    func send(_ bytes: [UInt8], over connection: Int, to side: Side) {
        guard network[connection].isOpen[1 - side.rawValue] else { return }
        let arrival = network.arrival(connection, to: side, now: now, &netChance)
        queue.insert(.arrival(connection: connection, side, bytes), at: arrival)
    }

    func arrive(_ connection: Int, _ side: Side, _ bytes: [UInt8]) {
        guard network[connection].isOpen[side.rawValue], !network[connection].isBroken else {
            return
        }
        if network.isBlocked(connection) || !network[connection].held[side.rawValue].isEmpty {
            network[connection].held[side.rawValue].append(bytes)
            return
        }
        switch side {
        case .driver:
            if network[connection].incarnation == incarnation { receive(bytes, over: connection) }
        case .executor: apply(bytes, on: executors[network[connection].executor])
        }
    }

    /// One end closes: what it sent before still arrives, then the other end learns of it.
    func close(_ connection: Int, from side: Side) {
        guard network[connection].isOpen[side.rawValue] else { return }
        network[connection].isOpen[side.rawValue] = false
        network[connection].held[side.rawValue] = []
        let other: Side = side == .driver ? .executor : .driver
        let arrival = network.arrival(connection, to: other, now: now, &netChance)
        queue.insert(.connectionEnd(connection: connection, other), at: arrival)
    }

    /// The network drops the connection: what is on its way is lost, and both ends learn of it,
    /// each in its own time.
    func breakConnection(_ connection: Int) {
        guard !network[connection].isBroken else { return }
        network[connection].isBroken = true
        for side in [Side.driver, .executor] where network[connection].isOpen[side.rawValue] {
            network[connection].lastArrival[side.rawValue] = now
            let end = network.arrival(connection, to: side, now: now, &netChance)
            network[connection].held[side.rawValue] = []
            queue.insert(.connectionEnd(connection: connection, side), at: end)
        }
    }

    func endConnection(_ connection: Int, at side: Side) {
        guard network[connection].isOpen[side.rawValue] else { return }
        if network.isBlocked(connection) {
            network[connection].isEndHeld[side.rawValue] = true
        } else {
            end(connection, at: side)
        }
    }

    private func end(_ connection: Int, at side: Side) {
        network[connection].isOpen[side.rawValue] = false
        network[connection].held[side.rawValue] = []
        let executor = network[connection].executor
        switch side {
        case .executor: exit(executors[executor], "its driver is gone")
        case .driver:
            guard network[connection].incarnation == incarnation else { return }
            note("the driver loses the connection of executor \(executor)")
            let loss = ExecutorLoss(
                reason: "its connection was lost", causedByApp: faultChance.chance(500))
            lose(ExecutorID(executor), loss)
            replace(ExecutorID(executor))
        }
    }

    /// An end has heard nothing for too long and does not wait for the network any more.
    func giveUp(_ connection: Int, at side: Side) {
        guard network[connection].isOpen[side.rawValue], network.isBlocked(connection) else {
            return
        }
        network[connection].isEndHeld[side.rawValue] = false
        // The other end learns of it when it can be reached again.
        close(connection, from: side)
        end(connection, at: side)
    }

    // MARK: Partitions

    func heal(_ one: Int, _ other: Int) {
        network.heal(one, other)
        for connection in 0..<network.count where !network.isBlocked(connection) {
            for side in [Side.driver, .executor] { release(connection, side) }
        }
    }

    /// TCP sends again what the partition held back.
    private func release(_ connection: Int, _ side: Side) {
        let held = network[connection].held[side.rawValue]
        let isEndHeld = network[connection].isEndHeld[side.rawValue]
        guard !held.isEmpty || isEndHeld else { return }
        network[connection].held[side.rawValue] = []
        network[connection].isEndHeld[side.rawValue] = false
        for bytes in held { arrive(connection, side, bytes) }
        if isEndHeld { endConnection(connection, at: side) }
    }
}
