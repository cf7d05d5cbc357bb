import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire

/// The external shuffle service of a host: serves executors' shuffle files, also when they are
/// gone, so that an executor may be removed without computing its map outputs again.
///
/// A control port (gRPC, `millrace.v1.ShuffleService`) takes registrations; a data port serves
/// blocks. Spark: ExternalShuffleService.
///
/// The compiler takes its sendability on trust: it belongs to its loop, where it is made, used
/// and closed.
public final class ShuffleService: @unchecked Sendable {
    public struct Options: Sendable {
        public var host: String
        /// Spark's `spark.shuffle.service.port`; 0: any.
        public var port: Int
        /// Of the blocks; 0: any.
        public var blockPort: Int
        /// Where registrations are kept.
        public var stateFolder: String
        /// Executors' folders must lie in one of these; absolute, without symbolic links.
        public var roots: [String]
        /// An application that says nothing for so long is finished, and its files deleted.
        public var applicationTimeout: Duration
        /// What callers of the control port must bring, if anything.
        public var token: String?

        public init(
            host: String = "127.0.0.1", port: Int = 7337, blockPort: Int = 7338,
            stateFolder: String, roots: [String],
            applicationTimeout: Duration = .seconds(120), token: String? = nil
        ) {
            self.host = host
            self.port = port
            self.blockPort = blockPort
            self.stateFolder = stateFolder
            self.roots = roots
            self.applicationTimeout = applicationTimeout
            self.token = token
        }
    }

    public let address: SocketAddress
    public var blockAddress: SocketAddress { blockServer.address }
    private let loop: EventLoop
    private let options: Options
    private let registry: ShuffleServiceRegistry
    private let provider: ShuffleServiceBlocks
    private let removal: FileRemoval
    private let server: RPCServer
    private let blockServer: BlockServer
    private let arena = WireArena()
    private var refused = 0
    private var finished = 0
    private var expired = 0
    private var isClosed = false

    /// Listens at once, on the loop. Throws `NetError` and `StoreError`.
    public init(loop: EventLoop, options: Options, tls: TLSContext? = nil) throws {
        self.loop = loop
        self.options = options
        let fileSystem = PosixFileSystem()
        let registry = try ShuffleServiceRegistry(
            fileSystem, folder: options.stateFolder, roots: options.roots,
            timeout: options.applicationTimeout, now: loop.now)
        self.registry = registry
        provider = ShuffleServiceBlocks(registry, fileSystem)
        removal = FileRemoval(loop, fileSystem)
        var serverOptions = RPCServerOptions()
        serverOptions.authorizer = options.token.map(RPCAuthorizer.bearerToken)
        serverOptions.banner = "Millrace shuffle service: gRPC over HTTP/2."
        server = try RPCServer(
            loop: loop, address: SocketAddress(host: options.host, port: options.port), tls: tls,
            options: serverOptions)
        address = server.address
        blockServer = try BlockServer(
            loop: loop, address: SocketAddress(host: options.host, port: options.blockPort),
            provider: provider, tls: tls
        ) { credential in
            // "<application>:<secret>", the application's blocks to whoever knows its secret.
            guard let colon = credential.firstIndex(of: ":") else { return nil }
            let application = try? registry.authenticate(
                String(credential[..<colon]), secret: String(credential[colon...].dropFirst()),
                now: loop.now)
            return application?.id
        }
        registerMethods()
        scheduleExpiry()
    }

    public func close() {
        isClosed = true
        server.close()
        blockServer.close()
    }

    public var status: ShuffleServiceStatus {
        var status = ShuffleServiceStatus()
        status.registeredApplications = registry.applicationCount
        status.registeredExecutors = registry.executorCount
        status.activeConnections = blockServer.openConnections
        status.blocksServed = provider.blocks
        status.blockBytesServed = provider.bytes
        status.blocksNotFound = provider.missing
        status.requestsRefused = refused
        status.applicationsFinished = finished
        status.applicationsExpired = expired
        status.filesDeleted = removal.deleted
        let merges = provider.merges.counts
        status.blocksMerged = merges.blocks
        status.blockBytesWritten = merges.bytes
        status.duplicateBlockPushes = merges.duplicates
        status.lateBlockPushes = merges.late
        status.staleBlockPushes = merges.stale
        status.mergedChunksServed = merges.chunksServed
        return status
    }

    // MARK: Requests

    private func registerMethods() {
        server.registerDescriptors(package: "millrace.v1")
        serve("RegisterExecutor") { [unowned self] request in
            try registry.register(
                request.executor, folder: request.folder, application: request.applicationID,
                secret: request.secret, now: loop.now)
            Log.info(
                "shuffle-service", "registered an executor",
                ["application": request.applicationID, "executor": request.executor.rawValue])
            return []
        }
        serve("KeepAlive") { [unowned self] request in
            _ = try authenticate(request)
            return []
        }
        serve("FinalizeShuffleMerge") { [unowned self] request in
            let application = try authenticate(request)
            guard request.shuffles.count == 1 else { throw WireError("a merge is of one shuffle") }
            return try provider.merges.finalize(
                request.shuffles[0], merge: request.merge, of: application)
        }
        serve("RemoveShuffles") { [unowned self] request in
            let application = try authenticate(request)
            let shuffles = Set(request.shuffles.map(\.rawValue))
            provider.forget(application.id, shuffles: shuffles)
            for executor in application.folders.keys.sorted() {
                removal.remove(application.folders[executor]!, shuffles: shuffles)
            }
            return []
        }
        serve("FinishApplication") { [unowned self] request in
            let application = try authenticate(request)
            finished += 1
            try finish(application.id)
            return []
        }
        server.register(unary: "/millrace.v1.ShuffleService/GetStatus") {
            [unowned self] _, _, reply in
            reply(.success(status.encoded(arena: arena)))
        }
    }

    private func serve(
        _ method: String,
        _ body: @escaping (ShuffleServiceRequest) throws -> [ShuffleServiceReply.MergedSize]
    ) {
        server.register(unary: "/millrace.v1.ShuffleService/\(method)") {
            [unowned self] bytes, call, reply in
            do {
                let merged = try body(try ShuffleServiceRequest(decoding: bytes, arena: arena))
                let answer = ShuffleServiceReply(
                    blockPort: Int(blockAddress.port), timeout: options.applicationTimeout,
                    merged: merged)
                reply(.success(answer.encoded(arena: arena)))
            } catch {
                refused += 1
                Log.warn(
                    "shuffle-service", "refused a request",
                    ["method": method, "peer": call.peer, "reason": error])
                reply(.failure(Self.status(of: error)))
            }
        }
    }

    private func authenticate(
        _ request: ShuffleServiceRequest
    ) throws -> RegisteredApplication {
        try registry.authenticate(request.applicationID, secret: request.secret, now: loop.now)
    }

    private static func status(of error: any Error) -> RPCStatus {
        switch error {
        case ShuffleServiceRegistry.Refusal.invalid(let why): RPCStatus(.invalidArgument, why)
        case ShuffleServiceRegistry.Refusal.foreign(let why): RPCStatus(.permissionDenied, why)
        case let error as WireError: RPCStatus(.invalidArgument, error.message)
        default: RPCStatus(.internal, "\(error)")
        }
    }

    // MARK: The end of applications

    private func finish(_ id: String) throws {
        guard let application = try registry.finish(id) else { return }
        provider.forget(id)
        for executor in application.folders.keys.sorted() {
            removal.remove(application.folders[executor]!)
        }
        Log.info("shuffle-service", "an application is finished", ["application": id])
    }

    private func scheduleExpiry() {
        _ = loop.schedule(after: options.applicationTimeout / 4) { [weak self] in
            guard let self, !isClosed else { return }
            for id in registry.expired(now: loop.now) {
                Log.warn(
                    "shuffle-service", "an application was silent for too long",
                    ["application": id, "limit": options.applicationTimeout])
                expired += 1
                do { try finish(id) } catch {
                    Log.error(
                        "shuffle-service", "cannot forget an application",
                        ["application": id, "reason": error])
                }
            }
            scheduleExpiry()
        }
    }
}
