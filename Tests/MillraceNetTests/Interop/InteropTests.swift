import Glibc
import MillraceBase
import Testing

@testable import MillraceInterop
@testable import MillraceNet

/// Millrace's gRPC against grpc-go's, both ways, and against an HTTP/2 conformance suite. The
/// programs come from outside: `grpc-interop-client`, `grpc-interop-server`, `h2spec` on the PATH.
@Suite("Against others", .serialized) struct InteropTests {
    /// A certificate for 127.0.0.1, in files.
    private final class Files {
        let folder = "/tmp/millrace-interop-\(getpid())"
        let authority: CertificateAuthority
        let identity: TLSContext.Identity
        var ca: String { folder + "/ca.pem" }
        var certificate: String { folder + "/certificate.pem" }
        var key: String { folder + "/key.pem" }

        init() throws {
            authority = try CertificateAuthority(name: "interop")
            identity = try authority.mint(name: "server", hosts: ["127.0.0.1", "localhost"])
            mkdir(folder, 0o700)
            for (path, bytes) in [
                (ca, authority.certificate), (certificate, identity.certificateChain),
                (key, identity.privateKey),
            ] {
                let file = fopen(path, "w")
                fwrite(bytes, 1, bytes.count, file)
                fclose(file)
            }
        }
        deinit {
            for path in [ca, certificate, key] { unlink(path) }
            rmdir(folder)
        }
    }

    private func server(_ loop: EventLoop, _ tls: TLSContext?) async throws -> LoopBound<RPCServer>
    {
        try await loop.run {
            let server = try RPCServer(loop: loop, address: .loopback(), tls: tls)
            TestService.register(on: server)
            return LoopBound(server, loop: loop)
        }
    }

    private func port(_ server: LoopBound<RPCServer>) async throws -> String {
        try await server.loop.run { String(server.value.address.port) }
    }

    @Test("grpc-go's client passes every case at our server", arguments: [false, true])
    func theirClient(secured: Bool) async throws {
        guard let tool = Tool("grpc-interop-client") else { return }
        let files = try Files()
        let tls: TLSContext? = secured ? try .server(identity: files.identity) : nil
        try await withLoop { loop in
            let server = try await server(loop, tls)
            var arguments = ["-server_host", "127.0.0.1", "-server_port", try await port(server)]
            if secured {
                arguments += [
                    "-use_tls", "-use_test_ca", "-ca_file", files.ca, "-server_host_override",
                    "localhost",
                ]
            }
            for name in InteropCase.names {
                let (code, text) = tool.start(arguments + ["-test_case", name]).wait(seconds: 60)
                #expect(code == 0, "\(name): \(text)")
            }
        }
    }

    @Test("our client passes every case at grpc-go's server", arguments: [false, true])
    func theirServer(secured: Bool) async throws {
        guard let tool = Tool("grpc-interop-server") else { return }
        let files = try Files()
        let tls: TLSContext? = secured ? try .client(authorities: files.authority.certificate) : nil
        try await withLoop { loop in
            // Their server does not say which port it got: one that was free a moment ago.
            let target = try await loop.run {
                let listener = try Listener(loop: loop, address: .loopback()) { _, _ in }
                defer { listener.close() }
                return Endpoint(listener.address)
            }
            var arguments = ["-port", String(target.port)]
            if secured {
                arguments += [
                    "-use_tls", "-tls_cert_file", files.certificate, "-tls_key_file", files.key,
                ]
            }
            let run = tool.start(arguments)
            defer { run.stop() }
            try await listening(loop, target)
            for name in InteropCase.allCases {
                let failure = try InteropProgram.run(
                    name, loop: loop, target: target, tls: tls, 10, 60)
                #expect(failure == nil, "\(name.rawValue): \(failure ?? "")")
            }
        }
    }

    /// Waits until somebody listens there.
    private func listening(_ loop: EventLoop, _ target: Endpoint) async throws {
        _ = try await loop.wait(Bool.self) { promise in
            let address = try SocketAddress(host: target.host, port: Int(target.port))
            func attempt() {
                do {
                    let peer = try RawPeer(loop, to: address, saying: [])
                    var isOpen = true
                    peer.onClose = {
                        guard isOpen else { return }
                        loop.schedule(after: .milliseconds(20)) { attempt() }
                    }
                    loop.schedule(after: .milliseconds(100)) {
                        guard peer.connection?.state == .open else { return }
                        isOpen = false
                        peer.close()
                        promise.succeed(true)
                    }
                } catch { promise.fail(error) }
            }
            attempt()
        }
    }

    @Test("our client and our server pass every case")
    func ourselves() async throws {
        try await withLoop { serverLoop in
            let server = try await server(serverLoop, nil)
            let target = try await serverLoop.run { Endpoint(server.value.address) }
            try await withLoop { loop in
                for name in InteropCase.allCases {
                    let failure = try InteropProgram.run(
                        name, loop: loop, target: target, tls: nil, 10, 60)
                    #expect(failure == nil, "\(name.rawValue): \(failure ?? "")")
                }
            }
        }
    }

    @Test("h2spec passes at least 143 of its 145 cases", arguments: [false, true])
    func conformance(secured: Bool) async throws {
        guard let tool = Tool("h2spec") else { return }
        let files = try Files()
        let tls: TLSContext? = secured ? try .server(identity: files.identity) : nil
        try await withLoop { loop in
            let server = try await server(loop, tls)
            let arguments =
                ["-h", "127.0.0.1", "-p", try await port(server)] + (secured ? ["-t", "-k"] : [])
            let (_, text) = tool.start(arguments).wait(seconds: 300)
            let summary = text.split(separator: "\n").last { $0.contains("tests,") } ?? ""
            let words = summary.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
            #expect(words.count == 4 && words[0] == 145 && words[1] >= 143, "\(summary)")
        }
    }
}

@Suite("The interop program's command line") struct InteropArgumentsTests {
    @Test("says in one line what is wrong")
    func refusals() {
        for (words, part) in [
            ([], "server or client"), (["peer"], "neither"), (["server"], "--port"),
            (["server", "--port"], "value"),
            (["server", "--port", "x"], "65535"), (["client", "--port", "1"], "--case"),
            (["client", "--port", "1", "--case", "x"], "no case x"),
            (["server", "--port", "1", "--key", "k"], "belong"),
            (["server", "--port", "1", "--frobnicate", "k"], "unknown option"),
            (["server", "extra"], "unexpected"),
        ] as [([String], String)] {
            var message = ""
            do { _ = try InteropArguments(words) } catch { message = error.message }
            #expect(message.contains(part), "\(words): \(message)")
        }
    }

    @Test("takes options with a space and with an equals sign")
    func options() throws {
        let arguments = try InteropArguments([
            "client", "--port=7", "--host", "node1", "--case=ping_pong",
        ])
        #expect(arguments.port == 7 && arguments.host == "node1" && arguments.name == "ping_pong")
    }
}
