/// grpc.health.v1.Health: whether this process, or one of its services, takes work. Loop-owned.
///
/// The empty name is the process; it serves from the start. Probes (`grpc_health_probe`,
/// Kubernetes) ask for it.
public final class HealthService {
    /// As in gRPC's protocol, with its numbers.
    public enum Status: Int, Sendable {
        case unknown = 0
        case serving = 1
        case notServing = 2
        case serviceUnknown = 3
    }

    static let name = "grpc.health.v1.Health"
    private var statuses: [String: Status] = ["": .serving]
    private var watchers: [ObjectIdentifier: (service: String, call: RPCServerCall)] = [:]

    init() {}

    /// What is answered from now on for that service (empty: the process). Watchers are told.
    public func set(_ status: Status, service: String = "") {
        guard statuses[service] != status else { return }
        statuses[service] = status
        for watcher in watchers.values where watcher.service == service {
            watcher.call.send(message(status))
        }
    }

    public func status(of service: String = "") -> Status? { statuses[service] }

    /// Nothing serves any more: the process goes down. Watchers are told, and let go.
    func shutDown() {
        for service in statuses.keys.sorted() { set(.notServing, service: service) }
        let calls = watchers.values.map(\.call)
        watchers.removeAll()
        for call in calls { call.finish(RPCStatus(.unavailable, "the server is shutting down")) }
    }

    func register(on server: RPCServer) {
        server.register(unary: "/\(Self.name)/Check") { [self] request, _, reply in
            guard let service = serviceName(request) else {
                return reply(.failure(Self.unreadable))
            }
            guard let status = statuses[service] else {
                return reply(.failure(RPCStatus(.notFound, "nothing is known of \(service)")))
            }
            reply(.success(message(status)))
        }
        server.register(method: "/\(Self.name)/Watch") { [self] call in watch(call) }
    }

    private func watch(_ call: RPCServerCall) {
        let id = ObjectIdentifier(call)
        call.onMessage = { [self, unowned call] request in
            guard watchers[id] == nil else { return }
            guard let service = serviceName(request) else { return call.finish(Self.unreadable) }
            watchers[id] = (service, call)
            call.send(message(statuses[service] ?? .serviceUnknown))
        }
        call.onCancel = { [self] _ in watchers[id] = nil }
    }

    private static let unreadable = RPCStatus(.invalidArgument, "not a HealthCheckRequest")

    private func serviceName(_ request: [UInt8]) -> String? {
        guard let fields = try? ProtoField.parse(request) else { return nil }
        return fields.last { $0.number == 1 }?.string ?? ""
    }

    private func message(_ status: Status) -> [UInt8] {
        var writer = ProtoWriter()
        writer.integer(1, status.rawValue)
        return writer.bytes
    }
}
