import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire

/// The driver's control port: executors' streams and the status service.
final class ControlServer {
    private let server: RPCServer
    private let driver: DriverDoor
    private let buildID: String
    private let applicationName: String
    private let started: Instant

    /// Listens at once. Throws `NetError`.
    init(
        driver: DriverDoor, address: SocketAddress, tls: TLSContext?, token: String?, conf: Conf,
        buildID: String, admit: @escaping ExecutorStream.Admission,
        lost: @escaping (ExecutorID) -> Void
    ) throws {
        var options = RPCServerOptions()
        options.connection.maxReceiveMessageSize = conf.network.maxMessageSize
        options.connection.keepAliveInterval = conf.network.keepAliveInterval
        options.connection.keepAliveTimeout = conf.network.keepAliveTimeout
        options.authorizer = token.map(RPCAuthorizer.bearerToken)
        options.banner = "Millrace driver of \(driver.applicationID): gRPC over HTTP/2."
        self.driver = driver
        self.buildID = buildID
        applicationName = conf.application.name ?? driver.applicationID
        started = driver.loop.now
        server = try RPCServer(loop: driver.loop, address: address, tls: tls, options: options)
        server.registerDescriptors(package: "millrace.v1")
        server.register(method: "/millrace.v1.Driver/Connect") { call in
            _ = ExecutorStream(call: call, driver: driver, admit: admit, lost: lost)
        }
        server.register(unary: "/millrace.v1.Driver/GetStatus") { [unowned self] _, _, reply in
            reply(.success(status()))
        }
    }

    var address: SocketAddress { server.address }

    func close() { server.close() }

    private func status() -> [UInt8] {
        let status = driver.status
        let arena = WireArena()
        return StatusReply(
            applicationID: driver.applicationID, applicationName: applicationName, buildID: buildID,
            executors: status.executors.map { ($0.registration, $0.heldTasks) },
            runningJobs: status.jobs.count, uptime: driver.loop.now - started
        ).encoded(arena: arena)
    }
}
