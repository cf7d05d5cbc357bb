import Glibc
import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire

/// The executor's side of the control stream. Loop-owned.
///
/// Registers, applies what the driver says, reports ends of tasks (all of one turn in one message)
/// and heartbeats. When the stream ends, so does the executor: without its driver it is of no use.
final class ControlClient: @unchecked Sendable {
    let loop: EventLoop
    let fetcher: NetworkBlockFetcher
    private let launch: ExecutorLaunch
    private let runtime: ExecutorRuntime
    private let ending: ExecutorEnding
    private let blockServer: BlockServer
    private let channel: RPCChannel
    private let service: ShuffleServiceRegistration?
    private let arena = WireArena()
    private let reaper: TaskReaper?
    private var call: RPCClientCall?
    private var heartbeats: UInt64 = 0
    private var isEnding = false
    private var isDismissed = false
    private var isRegistered = false

    /// On the loop.
    init(
        loop: EventLoop, launch: ExecutorLaunch, conf: Conf, runtime: ExecutorRuntime,
        ending: ExecutorEnding
    ) throws {
        self.loop = loop
        self.launch = launch
        self.runtime = runtime
        self.ending = ending
        reaper = TaskReaper(conf)
        var blocks = BlockOptions()
        blocks.token = launch.token
        blocks.connectionsPerPeer = conf.network.connectionsPerPeer
        let clientTLS = try TLSContext.client(conf)
        blockServer = try FixedPort.listen(
            on: conf.network.blockPort, setting: "millrace.blockManager.port",
            retries: conf.network.portRetries
        ) { port in
            try BlockServer(
                loop: loop, address: SocketAddress(host: Self.blockHost(launch), port: Int(port)),
                provider: ServedBlocks(runtime), tls: try TLSContext.server(conf),
                options: blocks)
        }
        var serviceBlocks = blocks
        serviceBlocks.token = "\(launch.applicationID):\(launch.token)"
        fetcher = NetworkBlockFetcher(
            loop: loop, client: BlockClient(loop: loop, tls: clientTLS, options: blocks),
            serviceClient: BlockClient(loop: loop, tls: clientTLS, options: serviceBlocks),
            mergeClient: BlockClient(loop: loop, tls: clientTLS, options: serviceBlocks),
            conf: conf)
        service =
            conf.shuffleService.isEnabled
            ? ShuffleServiceRegistration(
                loop: loop, host: Self.blockHost(launch), launch: launch, conf: conf,
                tls: clientTLS) : nil
        var options = RPCChannelOptions()
        options.connection.maxReceiveMessageSize = conf.network.maxMessageSize
        options.connection.keepAliveInterval = conf.network.keepAliveInterval
        options.connection.keepAliveTimeout = conf.network.keepAliveTimeout
        options.metadata = ["authorization": "Bearer \(launch.token)"]
        channel = RPCChannel(
            loop: loop, target: Endpoint(host: launch.driverHost, port: UInt16(launch.driverPort)),
            tls: clientTLS, options: options)
    }

    /// Registers, with the shuffle service of this host first: the driver is to know from the start
    /// that the files outlive this process.
    func start() {
        guard let service else { return connect(serviceBlockPort: nil) }
        service.register { [unowned self] result in
            switch result {
            case .success(let port): connect(serviceBlockPort: port)
            case .failure(let error): end(ExitCode.failure, error.message)
            }
        }
    }

    private func connect(serviceBlockPort: Int?) {
        guard !isEnding else { return }
        let call = channel.call("/millrace.v1.Driver/Connect")
        self.call = call
        call.onMessage = { [unowned self] bytes in receive(bytes) }
        call.onEnd = { [unowned self] status, _ in
            if isDismissed { return end(ExitCode.success, nil) }
            end(ExitCode.heartbeatFailure, "the driver ended the connection: \(status)")
        }
        var message = ExecutorMessage()
        message.register = ExecutorMessage.Registration(
            protocolVersion: ExecutorMessage.protocolVersion, applicationID: launch.applicationID,
            executor: launch.executor, buildID: ClosureCodec.buildIdentity,
            host: blockServer.address.host, blockPort: Int(blockServer.address.port),
            cores: launch.cores, memoryBytes: UInt64(launch.memory.bytes), processID: Int(getpid()),
            serviceBlockPort: serviceBlockPort)
        send(message)
    }

    /// Ends the connections before the loop ends, so that it is no surprise to anybody.
    func close() {
        isEnding = true
        call?.halfClose()
        channel.close()
        service?.close()
        fetcher.close()
        blockServer.close()
    }

    /// All that the tasks said in one turn leaves in one message.
    func report(_ reports: [ExecutorReport]) { send(ExecutorMessage(reports)) }

    private func send(_ message: ExecutorMessage) {
        guard let call, call.isOpen else { return }
        if !call.send(message.encoded(arena: arena)) {
            end(ExitCode.heartbeatFailure, "the driver does not read what it is sent")
        }
    }

    private func receive(_ bytes: [UInt8]) {
        do throws(any Error) {
            let message = try DriverMessage(decoding: bytes, arena: arena)
            for peer in message.peers {
                fetcher.add(
                    peer.executor,
                    at: Endpoint(host: peer.host, port: UInt16(clamping: peer.port)),
                    isService: peer.isService)
                if let port = peer.isService ? peer.port : peer.servicePort {
                    fetcher.add(
                        peer.executor,
                        service: Endpoint(host: peer.host, port: UInt16(clamping: port)))
                }
            }
            for executor in message.lostPeers { fetcher.remove(executor) }
            if let registered = message.registered, registered.blockPort > 0 {
                fetcher.add(
                    .driver,
                    at: Endpoint(
                        host: launch.driverHost, port: UInt16(clamping: registered.blockPort)),
                    isService: false)
            }
            if let key = message.registered?.ioKey, !key.isEmpty {
                guard key.count == 16 || key.count == 32 else {
                    throw PlanError("a key of \(key.count) bytes")
                }
                runtime.mapOutputStore.encrypt(with: key)
            }
            try runtime.apply(message)
            if let registered = message.registered {
                isRegistered = true
                beat(every: registered.heartbeatInterval)
                if let reaper { reap(every: reaper.pollingInterval) }
            }
            if let reason = message.decommission {
                Log.info("executor", "leaving when its tasks are done", ["reason": reason])
            }
            if let reason = message.shutdown {
                Log.info("executor", "asked to end", ["reason": reason])
                // The driver ends the call next; waiting for that leaves nothing unread on the
                // connection.
                isDismissed = true
            }
        } catch {
            end(
                ExitCode.failure,
                "the driver sent what this build cannot read: \(error)")
        }
    }

    /// Ends this process when a task that was asked to end has had its time.
    private func reap(every interval: Duration) {
        _ = loop.schedule(after: interval) { [self] in
            guard !isEnding else { return }
            // The task's thread would hold up any other way of ending.
            if runtime.reap() { _exit(ExitCode.killedByTaskReaper) }
            reap(every: interval)
        }
    }

    /// False when the driver doesn't know this executor yet, or has dismissed it.
    func askToLeave(_ signal: Int32) -> Bool {
        guard isRegistered, !isDismissed, let call, call.isOpen else { return false }
        Log.info("executor", "asking to leave", ["signal": signal])
        var message = ExecutorMessage()
        message.decommission = "its process was sent signal \(signal)"
        send(message)
        return true
    }

    private func beat(every interval: Duration) {
        _ = loop.schedule(after: interval) { [self] in
            guard !isEnding else { return }
            heartbeats += 1
            var message = ExecutorMessage()
            message.heartbeat = ExecutorMessage.Heartbeat(
                sequence: heartbeats, runningTasks: runtime.heldTasks,
                residentBytes: ProcessMemory.residentBytes())
            send(message)
            runtime.askForAccumulators()
            beat(every: interval)
        }
    }

    private func end(_ code: Int32, _ problem: String?) {
        guard !isEnding else { return }
        isEnding = true
        if let problem { Log.warn("executor", problem, ["executor": launch.executor.rawValue]) }
        ending.end(code)
    }

    /// The blocks are served where the driver is reached: on loopback when it is there.
    private static func blockHost(_ launch: ExecutorLaunch) -> String {
        let isLocal = (try? SocketAddress(host: launch.driverHost, port: 0))?.isLoopback ?? false
        return isLocal ? launch.driverHost : "0.0.0.0"
    }
}
