import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import MillraceWire
import Synchronization

/// The driver's things that belong to its loop: the engine, its timer, who waits for executors.
/// Made on the caller's thread before the loop starts, used on the loop only.
final class DriverState: @unchecked Sendable {
    private struct Waiter {
        var counts: ClosedRange<Int>
        var timer: TimerToken?
        var resume: (Int) -> Void
    }

    let engine: DriverEngine
    let loop: EventLoop
    let backend: any DriverBackend
    /// Who may be given tasks; for any thread.
    let slots = Mutex<[ExecutorSlots]>([])
    let broadcasts = BroadcastStore()
    private(set) var servesBlocks = false
    private var blockServer: BlockServer?
    private var timer: TimerToken?
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    private var isTurnEndAsked = false
    private var failure: MillraceError?
    private var isStopped = false

    init(engine: DriverEngine, backend: any DriverBackend, loop: EventLoop) {
        self.engine = engine
        self.backend = backend
        self.loop = loop
    }

    func start(_ conf: Conf) throws {
        engine.armTimer = { [unowned self] instant in arm(instant) }
        engine.dismissed = { [unowned self] executor, loss in
            backend.dismiss(executor, loss)
        }
        engine.requested = { [unowned self] total in backend.requestTotal(total) }
        engine.released = { [unowned self] executor, reason in
            backend.release(executor, reason: reason)
        }
        engine.answered = { [unowned self] event in handle(event) }
        engine.registrationsChanged = { [unowned self] in
            let taking = engine.core.executorSlots
            slots.withLock { $0 = taking }
            wakeWaiters()
        }
        if conf.security.isIOEncrypted { engine.ioKey = makeKey(conf) }
        try backend.start(DriverDoor(state: self), conf: conf)
    }

    /// By which executors encrypt their files.
    private func makeKey(_ conf: Conf) -> [UInt8] {
        if !conf.security.isTLSEnabled {
            Log.warn(
                "driver",
                "the key of encrypted files goes to executors over connections in clear; set "
                    + "millrace.ssl.enabled=true unless the network is trusted")
        }
        return BlockCipher.makeKey(bits: conf.security.ioKeyBits)
    }

    // MARK: Events

    func submit(_ job: PendingJob) {
        if let failure {
            return job.fail(failure)
        }
        if isStopped {
            return job.fail(MillraceError(.cancelled, "the application was stopped"))
        }
        engine.submit(job, now: loop.now)
        askForTurnEnd()
    }

    func handle(_ event: DriverEvent) {
        guard !isStopped else { return }
        engine.handle(event, loop.now)
        askForTurnEnd()
    }

    func serveBlocks(
        host: String, token: String?, tls: TLSContext?, _ conf: Conf
    ) throws {
        var options = BlockOptions()
        options.token = token
        options.connectionsPerPeer = conf.network.connectionsPerPeer
        let server = try FixedPort.listen(
            on: conf.network.driverBlockPort ?? conf.network.blockPort,
            setting: "millrace.driver.blockManager.port", retries: conf.network.portRetries
        ) { port in
            try BlockServer(
                loop: loop, address: SocketAddress(host: host, port: Int(port)),
                provider: broadcasts, tls: tls, options: options)
        }
        blockServer = server
        servesBlocks = true
        engine.blockPort = Int(server.address.port)
    }

    func unpersist(_ rdd: RDDID, done: @escaping () -> Void) {
        handle(.rddReleased(rdd))
        engine.removals.whenDone(rdd, done)
    }

    func register(
        _ registration: ExecutorMessage.Registration, link: any ExecutorLink, sendsHeartbeats: Bool
    ) {
        engine.register(
            registration, link: link, sendsHeartbeats: sendsHeartbeats, now: loop.now)
        askForTurnEnd()
    }

    func receive(_ message: ExecutorMessage, from executor: ExecutorID) {
        engine.receive(message, from: executor, now: loop.now)
        askForTurnEnd()
    }

    func lose(_ executor: ExecutorID, _ loss: ExecutorLoss) {
        guard !isStopped else { return }
        engine.lose(executor, loss, now: loop.now)
        askForTurnEnd()
    }

    func giveUp(_ error: MillraceError) {
        failure = error
        engine.shutDown(reason: error.message, error: error)
        for key in waiters.keys.sorted() { resume(key) }
    }

    func stop(reason: String, done: @escaping () -> Void) {
        guard !isStopped else { return done() }
        isStopped = true
        engine.shutDown(reason: reason)
        engine.removals.abandon()
        blockServer?.close()
        for key in waiters.keys.sorted() { resume(key) }
        // Executors first: what they still write goes too.
        backend.stop { [engine] in
            guard let services = engine.shuffleServices else { return done() }
            services.finish(done)
        }
    }

    /// All that one turn of the loop made for an executor leaves as one message.
    private func askForTurnEnd() {
        guard !isTurnEndAsked else { return }
        isTurnEndAsked = true
        loop.atTickEnd { [unowned self] in
            isTurnEndAsked = false
            engine.endTurn()
        }
    }

    private func arm(_ instant: Instant) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: instant) { [unowned self] in
            timer = nil
            handle(.timerFired)
        }
    }

    // MARK: Waiting for executors

    func waitForExecutors(
        _ counts: ClosedRange<Int>, timeout: Duration, _ resume: @escaping (Int) -> Void
    ) {
        guard !counts.contains(engine.order.count), failure == nil, !isStopped else {
            return resume(engine.order.count)
        }
        let key = nextWaiter
        nextWaiter += 1
        let timer = loop.schedule(after: timeout) { [unowned self] in self.resume(key) }
        waiters[key] = Waiter(counts: counts, timer: timer, resume: resume)
    }

    private func wakeWaiters() {
        let count = engine.order.count
        for key in waiters.keys.sorted() where waiters[key]!.counts.contains(count) { resume(key) }
    }

    private func resume(_ key: Int) {
        guard let waiter = waiters.removeValue(forKey: key) else { return }
        if let timer = waiter.timer { loop.cancel(timer) }
        waiter.resume(engine.order.count)
    }

    var status: DriverStatus {
        DriverStatus(
            executors: engine.registrations.map {
                .init(registration: $0, heldTasks: engine.heldTaskCount(of: $0.executor))
            }, jobs: engine.runningJobs)
    }
}
