import Glibc
import MillraceBase
import MillraceNet

/// The two commands: a loop, a server or a case on it, and an exit code.
enum InteropProgram {
    /// Serves until SIGTERM or SIGINT.
    static func serve(_ arguments: InteropArguments) -> Int32 {
        SignalSource.block([SIGTERM, SIGINT])
        do {
            let tls = try serverTLS(arguments)
            let loop = try EventLoop(name: "interop-server")
            try loop.start()
            try loop.sync {
                let address = try SocketAddress(host: arguments.host, port: Int(arguments.port))
                var options = RPCServerOptions()
                // A test program: whoever names another address than the default means it.
                options.permitsUnauthenticated = true
                let server = try RPCServer(loop: loop, address: address, tls: tls, options: options)
                TestService.register(on: server)
                _ = try SignalSource(loop: loop, signals: [SIGTERM, SIGINT]) { _ in
                    server.shutdown(grace: .seconds(2)) { loop.stop() }
                }
                say("listening on \(server.address)")
            }
            while !loop.join(within: .seconds(3_600)) {}
            return 0
        } catch {
            complain("\(error)")
            return 1
        }
    }

    /// Runs one case; prints its outcome.
    static func runCase(_ arguments: InteropArguments) -> Int32 {
        do {
            let tls = try clientTLS(arguments)
            let loop = try EventLoop(name: "interop-client")
            try loop.start()
            let target = Endpoint(host: arguments.host, port: arguments.port)
            guard let name = InteropCase(rawValue: arguments.name) else { return 2 }
            let failure = try run(
                name, loop: loop, target: target, tls: tls, arguments.count, arguments.timeout)
            loop.stop()
            loop.join()
            say("\(name.rawValue): \(failure ?? "passed")")
            return failure == nil ? 0 : 1
        } catch {
            complain("\(error)")
            return 1
        }
    }

    /// Blocks until the case has ended; nil if it passed, else why not.
    static func run(
        _ name: InteropCase, loop: EventLoop, target: Endpoint, tls: TLSContext?, _ count: Int,
        _ timeout: Int
    ) throws -> String? {
        let outcome = Outcome()
        loop.post {
            let runner = InteropRunner(loop: loop, target: target, tls: tls, count: count) {
                outcome.set($0)
            }
            runner.run(name)
            loop.schedule(after: .seconds(timeout)) { outcome.set("not done in \(timeout) s") }
        }
        return outcome.wait()
    }

    private static func serverTLS(_ arguments: InteropArguments) throws -> TLSContext? {
        guard let identity = try identity(arguments) else { return nil }
        let authorities = try arguments.authority.map(read)
        return try .server(
            identity: identity, authorities: authorities,
            clientCertificates: authorities == nil ? .none : .required)
    }

    private static func clientTLS(_ arguments: InteropArguments) throws -> TLSContext? {
        guard let authority = arguments.authority else { return nil }
        return try .client(
            authorities: try read(authority), identity: try identity(arguments),
            serverName: arguments.serverName)
    }

    private static func identity(_ arguments: InteropArguments) throws -> TLSContext.Identity? {
        guard let certificate = arguments.certificate, let key = arguments.key else { return nil }
        return TLSContext.Identity(
            certificateChain: try read(certificate), privateKey: try read(key))
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let file = try SharedFile(path: path)
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(file.raw, &bytes, bytes.count)
        guard count >= 0 else { throw NetError.system(operation: "read \(path)", code: errno) }
        return Array(bytes.prefix(count))
    }
}
