import CLinux
import Glibc
import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire

/// `local-cluster[N,cores,MiB]`: N executor processes on this machine, copies of the driver's own
/// program, over the same wire as on any cluster. A process that ends is replaced, until too many
/// have; with dynamic allocation the driver says how many there should be.
///
/// Belongs to the driver's loop, but for `init`.
public final class LocalClusterBackend: DriverBackend, @unchecked Sendable {
    private struct Running {
        var process: ChildProcess
        var watch: WatchToken
        var willPath: String
        /// It was asked to end, or killed: nobody waits for its end to replace it.
        var isLeaving = false
    }

    /// Executors there should be, at most `maximum` if that is set.
    private var wanted: Int
    private let maximum: Int?
    private let cores: Int
    private let memory: ByteCount
    private let directory: String
    private let buildID: String
    private let token: String
    private var driver: DriverDoor?
    private var conf = Conf()
    private var server: ControlServer?
    private var running: [ExecutorID: Running] = [:]
    /// Executors that have been let in.
    private var registered: Set<ExecutorID> = []
    private var next = ExecutorID(0)
    private var failures = ExecutorFailures(validity: nil)
    private var stopping: (() -> Void)?

    /// Time that an executor has to end by itself before it gets a signal.
    private static let patience = Duration.seconds(1)
    /// Time from asking an executor to end to killing it.
    private static let grace = Duration.seconds(5)
    /// How long a broken connection waits for its process to say how it ended, for a better
    /// message.
    private static let reapDelay = Duration.milliseconds(50)

    /// Starts with `executors` and never runs more than `maximum` if
    /// that is set. `directory` is the application's own and exists.
    public init(
        executors: Int, maximum: Int? = nil, cores: Int, memory: ByteCount, directory: String,
        buildID: String, token: String
    ) {
        wanted = executors
        self.maximum = maximum
        self.cores = cores
        self.memory = memory
        self.directory = directory
        self.buildID = buildID
        self.token = token
    }

    public func start(_ driver: DriverDoor, conf: Conf) throws {
        self.driver = driver
        self.conf = conf
        failures = ExecutorFailures(validity: conf.executor.failuresValidityInterval)
        let host = conf.driver.bindAddress ?? conf.driver.host ?? "127.0.0.1"
        server = try FixedPort.listen(
            on: conf.driver.port, setting: "millrace.driver.port",
            retries: conf.network.portRetries
        ) { port in
            try ControlServer(
                driver: driver, address: SocketAddress(host: host, port: Int(port)),
                tls: try TLSContext.server(conf),
                token: conf.security.isTLSEnabled ? nil : token, conf: conf, buildID: buildID,
                admit: { [unowned self] in admit($0) },
                lost: { [unowned self] in connectionLost($0) })
        }
        try driver.serveBlocks(
            host: host, token: token, tls: try TLSContext.server(conf), conf)
        if conf.shuffleService.isEnabled {
            driver.use(
                ShuffleServices(
                    loop: driver.loop, applicationID: driver.applicationID, secret: token,
                    conf: conf, tls: try TLSContext.client(conf)))
        }
        try fill()
    }

    public var requestedTotal: Int { wanted }

    public func requestTotal(_ total: Int) -> Bool {
        guard stopping == nil else { return false }
        wanted = min(total, maximum ?? total)
        do { try fill() } catch {
            Log.warn("driver", "cannot start an executor", ["reason": error])
            return false
        }
        return true
    }

    /// Replaced at once: a process that hangs in the kernel may take its time to die.
    public func dismiss(_ executor: ExecutorID, _ loss: ExecutorLoss) {
        guard let driver, running[executor] != nil else { return }
        running[executor]?.isLeaving = true
        running[executor]?.process.signal(SIGKILL)
        // Not now: the engine is in the middle of a step.
        driver.loop.post { [unowned self] in
            guard stopping == nil else { return }
            if loss.isRequested { refill() } else { replace() }
        }
    }

    public func release(_ executor: ExecutorID, reason: String) {
        guard let driver, running[executor] != nil else { return }
        running[executor]?.isLeaving = true
        _ = driver.loop.schedule(after: Self.grace) { [unowned self] in
            running[executor]?.process.signal(SIGKILL)
        }
    }

    public func stop(done: @escaping () -> Void) {
        stopping = done
        guard let driver, !running.isEmpty else { return finishStop() }
        // The registered ones have been told to end; the others do not listen yet.
        for executor in running.keys.sorted() where !registered.contains(executor) {
            running[executor]?.process.signal(SIGTERM)
        }
        // Not SIGTERM, which asks for an end in order.
        signal(SIGINT, after: Self.patience, driver)
        signal(SIGKILL, after: Self.grace, driver)
        _ = driver.loop.schedule(after: Self.grace + Self.patience) { [unowned self] in
            guard stopping != nil else { return }
            for executor in running.keys.sorted() {
                Log.warn(
                    "driver", "an executor's process does not end",
                    ["executor": executor.rawValue, "pid": running[executor]!.process.processID])
            }
            finishStop()
        }
    }

    private func signal(_ signal: Int32, after delay: Duration, _ driver: DriverDoor) {
        _ = driver.loop.schedule(after: delay) { [unowned self] in
            for executor in running.keys.sorted() { running[executor]?.process.signal(signal) }
        }
    }

    private func finishStop() {
        server?.close()
        stopping?()
        stopping = nil
    }

    // MARK: Processes

    /// Starts what is missing. Too many are left alone: who is to go is not decided here.
    private func fill() throws {
        let staying = running.values.count { !$0.isLeaving }
        for _ in 0..<max(wanted - staying, 0) { try launch() }
    }

    private func launch() throws {
        guard let driver, let server else { preconditionFailure("started before the driver") }
        let executor = next
        next = next.next
        let launch = ExecutorLaunch(
            executor: executor, driverHost: server.address.host,
            driverPort: Int(server.address.port),
            applicationID: driver.applicationID, cores: cores, memory: memory,
            directory: "\(directory)/executor-\(executor.rawValue)", token: token)
        let process = try ChildProcess(
            path: Self.ownProgram(), arguments: [],
            environment: Self.environment(conf, launch), output: nil)
        let watch = try driver.loop.watch(readable: process.pidfd) { [unowned self] in
            ended(executor)
        }
        running[executor] = Running(
            process: process, watch: watch, willPath: launch.lastWillPath)
        Log.info(
            "driver", "started an executor process",
            ["executor": executor.rawValue, "pid": process.processID])
    }

    private func ended(_ executor: ExecutorID) {
        guard let driver, let entry = running[executor], let ending = entry.process.reap() else {
            return
        }
        driver.loop.unwatch(entry.watch)
        running[executor] = nil
        if stopping != nil {
            if running.isEmpty { finishStop() }
            return
        }
        if entry.isLeaving {
            Log.info("driver", "an executor's process ended", ["executor": executor.rawValue])
            // Unless the driver wants fewer by now, somebody takes its place.
            return refill()
        }
        let reason = LastWords.reason(ending, willPath: entry.willPath)
        driver.lose(executor, ExecutorLoss(reason: reason))
        replace()
    }

    private func refill() {
        do { try fill() } catch {
            driver?.giveUp(
                MillraceError(.unavailable, "a lost executor cannot be replaced: \(error)"))
        }
    }

    private func replace() {
        guard let driver else { return }
        let count = failures.note(at: driver.loop.now)
        let limit = conf.executor.maxFailures ?? max(2 * (maximum ?? wanted), 3)
        guard count <= limit else {
            let within = conf.executor.failuresValidityInterval.map { " within \($0)" } ?? ""
            driver.giveUp(
                MillraceError(
                    .tooManyExecutorFailures,
                    "\(count) executors failed\(within); \(limit) failures are the limit "
                        + "(millrace.executor.maxNumFailures)"))
            return
        }
        refill()
    }

    private func connectionLost(_ executor: ExecutorID) {
        guard stopping == nil, let driver else { return }
        ended(executor)
        guard running[executor] != nil else { return }
        _ = driver.loop.schedule(after: Self.reapDelay) { [unowned self] in
            guard let entry = running[executor] else { return }
            driver.lose(executor, ExecutorLoss(reason: "its connection was lost"))
            entry.process.signal(SIGKILL)
        }
    }

    private func admit(_ registration: ExecutorMessage.Registration) -> RPCStatus? {
        guard let driver else { return RPCStatus(.unavailable, "the driver is starting") }
        if registration.protocolVersion != ExecutorMessage.protocolVersion {
            return RPCStatus(
                .failedPrecondition,
                "the executor speaks protocol \(registration.protocolVersion), the driver "
                    + "\(ExecutorMessage.protocolVersion)")
        }
        if registration.applicationID != driver.applicationID {
            return RPCStatus(
                .failedPrecondition,
                "this is \(driver.applicationID), not \(registration.applicationID)")
        }
        if registration.buildID != buildID {
            return RPCStatus(
                .failedPrecondition,
                "the executor is build \(registration.buildID), the driver build \(buildID)")
        }
        guard running[registration.executor] != nil,
            !driver.status.executors.contains(where: {
                $0.registration.executor == registration.executor
            })
        else { return RPCStatus(.aborted, "\(registration.executor) is not expected") }
        registered.insert(registration.executor)
        return nil
    }

    private static func ownProgram() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw MillraceError(.system, "/proc/self/exe cannot be read") }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// This process's environment, the settings, and what makes the child an executor.
    private static func environment(_ conf: Conf, _ launch: ExecutorLaunch) -> [String] {
        let own = launch.variables + [(LaunchEnvironment.conf, LaunchEnvironment.text(of: conf))]
        let names = Set(own.map(\.0))
        var inherited: [String] = []
        var cursor = environ
        while let entry = cursor.pointee {
            let text = String(cString: entry)
            if !names.contains(String(text.prefix { $0 != "=" })) { inherited.append(text) }
            cursor += 1
        }
        return inherited + own.map { "\($0)=\($1)" }
    }
}
