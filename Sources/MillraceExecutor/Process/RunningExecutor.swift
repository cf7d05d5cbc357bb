import Glibc
import MillraceBase
import MillraceCore
import MillraceNet
import MillraceStore
import MillraceWire

/// The parts of an executor process, assembled: runtime, block server, fetcher and control stream.
final class RunningExecutor {
    private let loop: EventLoop
    private let runtime: ExecutorRuntime
    private let control = SetOnce<ControlClient>()

    /// Connects and registers; what goes wrong later is told to `ending`.
    init(_ launch: ExecutorLaunch, _ conf: Conf, _ ending: ExecutorEnding) throws {
        let loop = try EventLoop(name: "executor")
        let memory = MemoryManager(
            limit: .ofThisProcess(promised: launch.memory), conf: conf)
        let store = try MapOutputStore(conf: conf, directory: launch.directory, memory: memory)
        let reports = ExecutorReports()
        let fetcher = LateBlockFetcher()
        let runtime = ExecutorRuntime(
            executor: launch.executor, slots: launch.cores, memory: memory, mapOutputStore: store,
            blockFolder: StorePath.join(launch.directory, "blocks"), fetcher: fetcher,
            maxBytesInFlight: conf.shuffle.maxSizeInFlight.bytes,
            maxBlockInMemory: conf.network.maxBlockInMemory.bytes,
            maxInlineBlock: conf.shuffle.maxInlineBlock.bytes,
            dropsZeroUpdates: conf.executor.dropsZeroAccumulatorUpdates,
            broadcastPieceSize: conf.broadcast.blockSize.bytes,
            commitTimeout: conf.network.timeout, barrierLimits: BarrierLimits(conf),
            reaper: TaskReaper(conf), push: PushSettings(conf)
        ) { report in reports.report(report) }
        self.loop = loop
        self.runtime = runtime
        BroadcastRegistry.shared.connect(runtime.broadcasts)
        try runtime.start()
        try loop.start()
        try loop.sync { [place = control] in
            let control = try ControlClient(
                loop: loop, launch: launch, conf: conf, runtime: runtime, ending: ending)
            fetcher.network.set(control.fetcher)
            runtime.pusher.connect(control.fetcher)
            reports.connect(control)
            place.set(control)
            control.start()
            LastWill.keep(at: launch.lastWillPath, loop: loop, memory: memory)
        }
    }

    /// Asks the driver for an end in order; false when there is no driver to ask.
    func askToLeave(_ signal: Int32) -> Bool {
        guard let control = control.value else { return false }
        return (try? loop.sync(within: .seconds(5)) { control.askToLeave(signal) }) ?? false
    }

    func stop() {
        // First the connections: a task that waits for blocks goes on only when they end.
        if let control = control.value { try? loop.sync(within: .seconds(5)) { control.close() } }
        runtime.stop()
        loop.stop()
        _ = loop.join(within: .seconds(5))
    }
}

/// What the executor's threads have to say, on its way to the control stream.
final class ExecutorReports: Sendable {
    private let mailbox = SetOnce<Mailbox<ExecutorReport>>()

    /// On the loop.
    func connect(_ control: ControlClient) {
        mailbox.set(Mailbox(loop: control.loop, limit: .max) { control.report($0) })
    }

    /// Any thread. All work comes through the control stream, so the mailbox is there.
    func report(_ report: ExecutorReport) { _ = mailbox.value?.post(report) }
}

/// The runtime is made before the loop it fetches on.
final class LateBlockFetcher: BlockFetcher {
    let network = SetOnce<NetworkBlockFetcher>()

    func start(names: [String], from executor: ExecutorID) -> any BlockFetch {
        guard let network = network.value else {
            return NoBlockFetcher().start(names: names, from: executor)
        }
        return network.start(names: names, from: executor)
    }

    func start(
        name: String, from executor: ExecutorID, into sink: any BlockSink
    ) -> any BlockFetch {
        guard let network = network.value else {
            return NoBlockFetcher().start(names: [name], from: executor)
        }
        return network.start(name: name, from: executor, into: sink)
    }

    func start(
        part: Range<Int>, of name: String, from executor: ExecutorID
    ) -> any BlockFetch {
        guard let network = network.value else {
            return NoBlockFetcher().start(names: [name], from: executor)
        }
        return network.start(part: part, of: name, from: executor)
    }

    func folder(of executor: ExecutorID) -> String? { network.value?.folder(of: executor) }

    func tell(_ executor: ExecutorID, _ notice: [UInt8]) { network.value?.tell(executor, notice) }
}
