import Glibc
import MillraceBase
import MillraceNet
import MillraceWire

/// Tells the shuffle service of this host where this executor's files are. Loop-owned.
///
/// Tries as often as the settings say; an executor that was promised a service and finds none ends,
/// because its map outputs would not outlive it. Spark:
/// BlockManager.registerWithExternalShuffleServer.
final class ShuffleServiceRegistration {
    private let loop: EventLoop
    private let launch: ExecutorLaunch
    private let channel: RPCChannel
    private let endpoint: Endpoint
    private let timeout: Duration
    private let attempts: Int

    init(loop: EventLoop, host: String, launch: ExecutorLaunch, conf: Conf, tls: TLSContext?) {
        self.loop = loop
        self.launch = launch
        let host = host == "0.0.0.0" ? "127.0.0.1" : host
        endpoint = Endpoint(host: host, port: UInt16(conf.shuffleService.port))
        timeout = conf.shuffleService.registrationTimeout
        attempts = conf.shuffleService.registrationAttempts
        var options = RPCChannelOptions()
        options.metadata = ["authorization": "Bearer \(launch.token)"]
        channel = RPCChannel(loop: loop, target: endpoint, tls: tls, options: options)
    }

    /// `done` gets the port of the service's blocks, or why there is none.
    func register(attempt: Int = 1, _ done: @escaping (Result<Int, MillraceError>) -> Void) {
        let request: [UInt8]
        do { request = try message() } catch { return done(.failure(error)) }
        channel.unary(
            "/millrace.v1.ShuffleService/RegisterExecutor", request, deadline: loop.now + timeout
        ) { [self] result in
            switch result {
            case .success(let bytes):
                guard let reply = try? ShuffleServiceReply(decoding: bytes, arena: WireArena())
                else { return done(.failure(failure("its reply cannot be read"))) }
                done(.success(reply.blockPort))
            case .failure(let status):
                // Who is refused is refused again.
                let isFinal = [.permissionDenied, .invalidArgument].contains(status.code)
                guard attempt < attempts, !isFinal else {
                    return done(.failure(failure("\(status), after \(attempt) attempts")))
                }
                Log.info(
                    "executor", "registering with the shuffle service again",
                    ["service": endpoint, "attempt": attempt + 1, "reason": status])
                _ = loop.schedule(after: timeout / 5) { [self] in
                    register(attempt: attempt + 1, done)
                }
            }
        }
    }

    func close() { channel.close() }

    private func message() throws(MillraceError) -> [UInt8] {
        guard let real = realpath(launch.directory, nil) else {
            let reason = String(cString: strerror(errno))
            throw MillraceError(.system, "\(launch.directory): \(reason)")
        }
        defer { free(real) }
        return ShuffleServiceRequest(
            applicationID: launch.applicationID, secret: launch.token, executor: launch.executor,
            folder: String(cString: real)
        ).encoded(arena: WireArena())
    }

    private func failure(_ reason: String) -> MillraceError {
        MillraceError(
            .unavailable,
            "cannot register with the shuffle service at \(endpoint): \(reason); start it with "
                + "`millrace shuffle-service`, or set millrace.shuffle.service.enabled=false")
    }
}
