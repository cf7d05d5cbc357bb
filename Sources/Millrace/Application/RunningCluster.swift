import Glibc
import MillraceBase
import MillraceDriver
import MillraceExecutor
import MillraceWire

/// The driver and executors of one application, assembled as its master says.
final class RunningCluster: Sendable {
    let driver: Driver
    let accumulators: AccumulatorRegistry
    /// Of all executors, once they are there.
    let cores: Int
    let localRuntime: ExecutorRuntime?
    private let directory: LocalDirectory

    private init(
        driver: Driver, accumulators: AccumulatorRegistry, cores: Int,
        localRuntime: ExecutorRuntime?, directory: LocalDirectory
    ) {
        self.driver = driver
        self.accumulators = accumulators
        self.cores = cores
        self.localRuntime = localRuntime
        self.directory = directory
    }

    static func start(_ conf: Conf) async throws -> RunningCluster {
        if let reason = conf.application.master.whyUnsupported {
            throw MillraceError(.invalidArgument, reason)
        }
        let identity = try ApplicationIdentity(conf)
        let directory = try LocalDirectory(conf, applicationID: identity.applicationID)
        directory.removeLeftBeside()
        switch conf.application.master {
        case .localCluster(let executors, let cores, let memory):
            let allocation = AllocationSettings(conf)
            let executors = allocation?.initialExecutors ?? executors
            let backend = LocalClusterBackend(
                executors: executors, maximum: allocation?.maxExecutors, cores: cores,
                memory: memory, directory: directory.path, buildID: ClosureCodec.buildIdentity,
                token: identity.token)
            return try await start(
                backend, identity.applicationID, conf, executors, cores, directory)
        case .local(let slots, _):
            return try await startLocal(slots.number, identity.applicationID, conf, directory)
        case .standalone, .kubernetes:
            preconditionFailure("refused above")
        }
    }

    private static func start(
        _ backend: LocalClusterBackend, _ applicationID: String, _ conf: Conf, _ executors: Int,
        _ cores: Int, _ directory: LocalDirectory
    ) async throws -> RunningCluster {
        let accumulators = AccumulatorRegistry()
        let driver = try Driver(
            applicationID: applicationID, conf: conf, backend: backend,
            accumulate: { accumulators.apply($0) })
        let wait = conf.scheduler.registrationWait
        let registered = await driver.waitForExecutors(executors, timeout: wait)
        guard registered > 0 || executors == 0 else {
            await driver.stop(reason: "no executor came")
            throw MillraceError(
                .unavailable,
                "none of \(executors) executors registered within \(wait)"
            )
        }
        return RunningCluster(
            driver: driver, accumulators: accumulators, cores: executors * cores,
            localRuntime: nil, directory: directory)
    }

    private static func startLocal(
        _ slots: Int, _ applicationID: String, _ conf: Conf, _ directory: LocalDirectory
    ) async throws -> RunningCluster {
        let reports = LocalReports()
        let memory = MemoryManager(
            limit: .ofThisProcess(promised: conf.driver.memory), conf: conf)
        let store = try MapOutputStore(conf: conf, directory: directory.path, memory: memory)
        if conf.security.isIOEncrypted { store.encryptAlone(bits: conf.security.ioKeyBits) }
        let runtime = ExecutorRuntime(
            executor: ExecutorID(0), slots: slots, memory: memory, mapOutputStore: store,
            blockFolder: "\(directory.path)/blocks", fetcher: NoBlockFetcher(),
            maxBytesInFlight: conf.shuffle.maxSizeInFlight.bytes,
            dropsZeroUpdates: conf.executor.dropsZeroAccumulatorUpdates,
            commitTimeout: conf.network.timeout, barrierLimits: BarrierLimits(conf),
            reaper: TaskReaper(conf)
        ) { report in reports.report(report) }
        try runtime.start()
        let registration = ExecutorMessage.Registration(
            protocolVersion: ExecutorMessage.protocolVersion, applicationID: applicationID,
            executor: ExecutorID(0), buildID: "", host: "localhost", blockPort: 0, cores: slots,
            memoryBytes: 0, processID: Int(getpid()))
        let backend = LocalBackend(
            registration: registration, link: LocalExecutor(runtime: runtime), reports: reports,
            beat: {
                runtime.askForAccumulators()
                // The program's own process isn't ended for a task.
                _ = runtime.reap()
            })
        let accumulators = AccumulatorRegistry()
        let driver = try Driver(
            applicationID: applicationID, conf: conf, backend: backend,
            accumulate: { accumulators.apply($0) })
        return RunningCluster(
            driver: driver, accumulators: accumulators, cores: slots, localRuntime: runtime,
            directory: directory)
    }

    func stop() async {
        await driver.stop(reason: "the program ended")
        localRuntime?.stop()
        directory.remove()
    }
}

extension MasterURL.Slots {
    /// Task threads.
    var number: Int {
        switch self {
        case .count(let count): count
        case .allCores: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        }
    }
}
