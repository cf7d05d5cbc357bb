import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire

/// The shuffle services that hold files of this application: one on each host on which an executor
/// registered with one.
///
/// Tells them regularly that the application lives, which shuffles may go, and when it ends.
/// Belongs to the driver's loop.
final class ShuffleServices {
    private final class Service {
        let channel: RPCChannel
        /// A fraction of what the service itself said.
        var interval: Duration = .seconds(1)
        init(_ channel: RPCChannel) { self.channel = channel }
    }

    private let loop: EventLoop
    private let applicationID: String
    private let secret: String
    private let port: Int
    /// How long one may take to say what it has merged.
    private let mergeLimit: Duration
    private let tls: TLSContext?
    private var services: [String: Service] = [:]
    /// Executors that are gone, and where their files are served.
    private(set) var peers: [DriverMessage.Peer] = []
    /// Removed in this turn of the loop.
    private var removed: [ShuffleID] = []
    private var isClosed = false

    /// How long a service may take for an answer.
    private static let limit = Duration.seconds(5)

    init(
        loop: EventLoop, applicationID: String, secret: String, conf: Conf, tls: TLSContext?
    ) {
        self.loop = loop
        self.applicationID = applicationID
        self.secret = secret
        port = conf.shuffleService.port
        mergeLimit = conf.shufflePush.resultsTimeout
        self.tls = tls
    }

    /// An executor registered, perhaps with the service of its host.
    func executorRegistered(_ registration: ExecutorMessage.Registration) {
        let host = registration.host
        guard registration.serviceBlockPort != nil, services[host] == nil, !isClosed else { return }
        var options = RPCChannelOptions()
        options.metadata = ["authorization": "Bearer \(secret)"]
        let service = Service(
            RPCChannel(
                loop: loop, target: Endpoint(host: host, port: UInt16(port)), tls: tls,
                options: options))
        services[host] = service
        keepAlive(service)
    }

    /// Where the files of an executor that is gone are served; nil where they went with it.
    func executorLost(_ registration: ExecutorMessage.Registration) -> DriverMessage.Peer? {
        guard let port = registration.serviceBlockPort else { return nil }
        let peer = DriverMessage.Peer(
            executor: registration.executor, host: registration.host, port: port, isService: true)
        peers.append(peer)
        return peer
    }

    private func keepAlive(_ service: Service) {
        guard !isClosed else { return }
        call("KeepAlive", on: service) { [self] result in
            if case .success(let bytes) = result,
                let reply = try? ShuffleServiceReply(decoding: bytes, arena: WireArena())
            {
                service.interval = reply.timeout / 4
            }
            // One that is being restarted is asked again; its registrations are still there.
            _ = loop.schedule(after: service.interval) { [weak self] in self?.keepAlive(service) }
        }
    }

    /// No job will read the shuffle.
    func remove(_ shuffle: ShuffleID) {
        guard !services.isEmpty, !isClosed else { return }
        if removed.isEmpty { loop.atTickEnd { [weak self] in self?.sendRemovals() } }
        removed.append(shuffle)
    }

    private func sendRemovals() {
        let shuffles = removed
        removed.removeAll()
        for host in services.keys.sorted() {
            call("RemoveShuffles", on: services[host]!, shuffles) { result in
                guard case .failure(let status) = result else { return }
                Log.warn(
                    "driver", "a shuffle service keeps removed shuffles for now",
                    ["host": host, "reason": status])
            }
        }
    }

    /// Nothing more of the shuffle is to be merged there. `done` is called once, later, with what
    /// is, or nil when the service doesn't say.
    func finalizeMerge(
        _ shuffle: ShuffleID, _ merge: Int, on host: String,
        _ done: @escaping ([MergedSize]?) -> Void
    ) {
        guard !isClosed, let service = services[host] else {
            return loop.atTickEnd { done(nil) }
        }
        call("FinalizeShuffleMerge", on: service, [shuffle], merge: merge, within: mergeLimit) {
            result in
            do {
                let reply = try ShuffleServiceReply(decoding: result.get(), arena: WireArena())
                done(reply.merged.map { MergedSize(reduce: $0.reduce, bytes: $0.bytes) })
            } catch {
                Log.warn(
                    "driver", "a shuffle service does not say what it has merged",
                    ["host": host, "shuffle": shuffle, "reason": error])
                done(nil)
            }
        }
    }

    /// The application ends: its files may go. `done` when all services know, or don't answer.
    func finish(_ done: @escaping () -> Void) {
        isClosed = true
        let all = services.values.map { $0 }
        services = [:]
        var left = all.count
        guard left > 0 else { return done() }
        for service in all {
            call("FinishApplication", on: service) { result in
                if case .failure(let status) = result {
                    Log.warn("driver", "a shuffle service does not answer", ["reason": status])
                }
                service.channel.close()
                left -= 1
                if left == 0 { done() }
            }
        }
    }

    private func call(
        _ method: String, on service: Service, _ shuffles: [ShuffleID] = [], merge: Int = 0,
        within limit: Duration = ShuffleServices.limit,
        _ then: @escaping (Result<[UInt8], RPCStatus>) -> Void
    ) {
        let request = ShuffleServiceRequest(
            applicationID: applicationID, secret: secret, shuffles: shuffles, merge: merge)
        service.channel.unary(
            "/millrace.v1.ShuffleService/\(method)", request.encoded(arena: WireArena()),
            deadline: loop.now + limit, then)
    }
}
