import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceWire

/// The driver process: the real engine, fed and watched.
extension Simulation {
    /// Stands in until `newEngine`, which needs the whole simulation.
    static var unused: DriverEngine {
        DriverEngine(
            applicationID: "", settings: CoreSettings(), heartbeatInterval: .zero,
            accumulate: { _ in })
    }

    func newEngine() -> DriverEngine {
        // Called on the simulation's only thread; `run` ends before the simulation does.
        nonisolated(unsafe) unowned let simulation = self
        return DriverEngine(
            applicationID: "simulation", settings: plan.settings,
            heartbeatInterval: plan.heartbeatInterval,
            accumulate: { simulation.ledger.apply($0) })
    }

    func startDriver() {
        isDriverUp = true
        note("the driver starts")
        engine.armTimer = { [unowned self] instant in
            let due = max(instant, now)
            armed = due
            queue.insert(.driverTimer(incarnation: incarnation), at: due)
        }
        engine.dismissed = { [unowned self] executor, _ in
            note("the driver dismisses \(executor)")
            replace(executor)
        }
        engine.requested = { [unowned self] total in request(total) }
        engine.released = { [unowned self] executor, reason in release(executor, reason) }
        engine.observe = { [unowned self] effect, launches in see(effect, launches) }
        backend = newBackend()
        fill(after: .milliseconds(5))
        for query in queries {
            schedule(.queryStart(query: query.number, incarnation: incarnation), after: .zero)
        }
        schedule(.jobSubmission(incarnation: incarnation), after: .zero)
    }

    /// Something comes in from an executor.
    func receive(_ bytes: [UInt8], over connection: Int) {
        let message: ExecutorMessage
        do throws(WireError) {
            message = try ExecutorMessage(decoding: bytes, arena: arena)
        } catch { return fail("the driver cannot read a message: \(error.message)") }
        let executor = ExecutorID(network[connection].executor)
        if let registration = message.register {
            note("\(executor) registers with \(registration.cores) cores")
            engine.register(
                registration, link: SimulatedLink(simulation: self, connection: connection),
                sendsHeartbeats: true, now: now)
        } else {
            note("\(executor) reports \(describe(message))")
            engine.receive(message, from: executor, now: now)
        }
        stepped()
    }

    func lose(_ executor: ExecutorID, _ loss: ExecutorLoss) {
        engine.lose(executor, loss, now: now)
        stepped()
    }

    func tell(_ event: DriverEvent) {
        guard isDriverUp else { return }
        engine.handle(event, now)
        stepped()
    }

    func fireTimer(_ incarnation: Int) {
        // A request replaces the earlier one, as it does in the driver's shell.
        guard incarnation == self.incarnation, armed == now else { return }
        armed = nil
        engine.handle(.timerFired, now)
        stepped()
    }

    /// After each step: the invariants, and the end of the loop's turn, now or with what comes
    /// soon.
    func stepped() {
        let violations = engine.violations
        if !violations.isEmpty { fail(violations.joined(separator: "; ")) }
        checkBarriers()
        guard !isTurnEndDue else { return }
        if netChance.chance(700) { return engine.endTurn() }
        isTurnEndDue = true
        schedule(.turnEnd(incarnation: incarnation), after: .microseconds(20))
    }

    func endTurn(_ incarnation: Int) {
        guard incarnation == self.incarnation else { return }
        isTurnEndDue = false
        engine.endTurn()
    }

    func release(_ shuffle: ShuffleID, _ incarnation: Int) {
        if incarnation == self.incarnation { tell(.shuffleReleased(shuffle)) }
    }

    // MARK: Its end

    /// The process is gone, with everything it knew. Its executors learn of it when their
    /// connections end; another driver takes over after a while.
    func crashDriver(_ why: String) {
        note("the driver ends: \(why)")
        misfortunes += 1
        for connection in 0..<network.count
        where network[connection].incarnation == incarnation
            && network[connection].isOpen[Side.driver.rawValue]
        {
            close(connection, from: .driver)
        }
        engine.observe = nil
        engine.armTimer = { _ in }
        engine.dismissed = { _, _ in }
        engine.requested = { _ in false }
        engine.released = { _, _ in }
        for query in queries {
            query.run = nil
            query.ranges = [:]
        }
        for job in jobs.indices where jobs[job].end == nil {
            jobs[job].end = .failure(.cancelled(reason: "its driver crashed"))
        }
        ledger = Ledger()
        barriers.attempts = [:]
        incarnation += 1
        isDriverUp = false
        isTurnEndDue = false
        engine = newEngine()
        schedule(
            .driverStart(incarnation: incarnation), after: faultChance.delay(.milliseconds(100)))
    }

    func describe(_ message: ExecutorMessage) -> String {
        var parts = message.taskEnds.map { "\($0.task): \($0.reason.summary)" }
        if message.heartbeat != nil { parts.append("a heartbeat") }
        parts += message.commitRequests.map { "\($0) wants to commit" }
        parts += message.barrierRequests.map { "\($0.task) at barrier \($0.epoch)" }
        return parts.joined(separator: ", ")
    }
}

/// The driver's way to an executor: over the simulated network.
final class SimulatedLink: ExecutorLink {
    private unowned let simulation: Simulation
    private let connection: Int

    init(simulation: Simulation, connection: Int) {
        self.simulation = simulation
        self.connection = connection
    }

    func send(_ message: DriverMessage) {
        simulation.send(
            message.encoded(arena: simulation.arena), over: connection, to: .executor)
    }

    func close(reason: String) { simulation.close(connection, from: .driver) }
}
