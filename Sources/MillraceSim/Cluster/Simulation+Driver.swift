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
            maxResultBytes: 0, accumulate: { _ in })
    }

    func newEngine() -> DriverEngine {
        // Called on the simulation's only thread; `run` ends before the simulation does.
        nonisolated(unsafe) unowned let simulation = self
        return DriverEngine(
            applicationID: "simulation", settings: plan.settings,
            heartbeatInterval: plan.heartbeatInterval, maxResultBytes: 0,
            accumulate: { simulation.ledger.apply($0) })
    }

    func startDriver() {
        engine.armTimer = { [unowned self] instant in
            queue.insert(.driverTimer(incarnation: incarnation), at: max(instant, now))
        }
        engine.dismissed = { [unowned self] executor, _ in
            note("the driver dismisses \(executor)")
            replaceExecutor()
        }
        engine.observe = { [unowned self] effect, launches in see(effect, launches) }
        for _ in 0..<plan.executors {
            schedule(.executorStart, after: netChance.delay(.milliseconds(5)))
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
        engine.handle(event, now)
        stepped()
    }

    func fireTimer(_ incarnation: Int) {
        guard incarnation == self.incarnation else { return }
        engine.handle(.timerFired, now)
        stepped()
    }

    /// After each step: the invariants, and the end of the loop's turn, now or with what comes
    /// soon.
    func stepped() {
        let violations = engine.core.violations()
        if !violations.isEmpty { fail(violations.joined(separator: "; ")) }
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

    /// The backend starts another executor in place of a lost one.
    func replaceExecutor() {
        schedule(.executorStart, after: netChance.delay(plan.replacementDelay))
    }

    func describe(_ message: ExecutorMessage) -> String {
        var parts = message.taskEnds.map { "\($0.task): \($0.reason.summary)" }
        if message.heartbeat != nil { parts.append("a heartbeat") }
        parts += message.commitRequests.map { "\($0) wants to commit" }
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
