import MillraceBase
import Testing

@testable import MillraceNet

/// An application's authority, and contexts of its processes.
struct Application {
    let authority: CertificateAuthority
    init() throws { authority = try CertificateAuthority(name: "test application") }

    func server(_ clients: TLSContext.ClientCertificates = .required) throws -> TLSContext {
        try .server(
            identity: try authority.mint(name: "driver", hosts: ["127.0.0.1", "localhost"]),
            authorities: authority.certificate, clientCertificates: clients)
    }

    func client(named name: String? = "executor 1", serverName: String? = nil) throws -> TLSContext
    {
        try .client(
            authorities: authority.certificate,
            identity: try name.map { try authority.mint(name: $0, hosts: []) },
            serverName: serverName)
    }
}

/// The outcome of one call over TLS.
private func call(_ loop: EventLoop, server: TLSContext?, client: TLSContext?) async throws
    -> Result<String, RPCStatus>
{
    try await loop.wait(Result<String, RPCStatus>.self) { promise in
        let pair = try Pair(loop, serverTLS: server, clientTLS: client)
        pair.server.register(unary: "/t.S/Who") { _, call, reply in
            reply(.success(Array((call.peer.certificateSubject ?? "nobody").utf8)))
        }
        pair.channel.unary("/t.S/Who", [], deadline: loop.now + .seconds(10)) { result in
            promise.succeed(result.map { String(decoding: $0, as: UTF8.self) })
            pair.channel.close()
            pair.server.close()
        }
    }
}

@Suite("TLS") struct TLSTests {
    @Test("with certificates on both sides tells the server who is calling")
    func mutual() async throws {
        try await withLoop { loop in
            let application = try Application()
            let result = try await call(
                loop, server: application.server(), client: application.client())
            #expect(result == .success("CN=executor 1,O=Millrace"))
        }
    }

    @Test(
        "refuses a client without a certificate where one is required, not where optional"
    )
    func withoutCertificate() async throws {
        try await withLoop { loop in
            let application = try Application()
            let anonymous = try application.client(named: nil)
            let refused = try await call(loop, server: application.server(), client: anonymous)
            guard case .failure(let status) = refused, status.code == .unavailable else {
                Issue.record("\(refused)")
                return
            }
            let taken = try await call(
                loop, server: application.server(.optional), client: anonymous)
            #expect(taken == .success("nobody"))
        }
    }

    @Test("refuses certificates of another application, of client and of server")
    func foreignAuthority() async throws {
        try await withLoop { loop in
            let ours = try Application()
            let theirs = try Application()
            let identity = try theirs.authority.mint(name: "spy", hosts: [])
            let spy = try TLSContext.client(
                authorities: ours.authority.certificate, identity: identity)
            for (server, client) in [
                (try ours.server(), spy), (try theirs.server(.none), try ours.client()),
            ] {
                let result = try await call(loop, server: server, client: client)
                guard case .failure(let status) = result, status.code == .unavailable else {
                    Issue.record("\(result)")
                    return
                }
            }
        }
    }

    @Test("refuses a server whose certificate is for another name")
    func wrongName() async throws {
        try await withLoop { loop in
            let application = try Application()
            let result = try await call(
                loop, server: application.server(),
                client: application.client(serverName: "elsewhere"))
            guard case .failure(let status) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(status.message.contains("mismatch"))
        }
    }

    @Test("does not mistake a clear connection for a secured one, either way")
    func clearAgainstSecured() async throws {
        try await withLoop { loop in
            let application = try Application()
            for (server, client) in [
                (try application.server(), nil), (nil, try application.client()),
            ] {
                let result = try await call(loop, server: server, client: client)
                guard case .failure(let status) = result, status.code == .unavailable else {
                    Issue.record("\(result)")
                    return
                }
            }
        }
    }

    @Test("carries the block stream, files too")
    func blocks() async throws {
        try await withLoop { loop in
            let application = try Application()
            let server = try application.server()
            let client = try application.client()
            let count = try await loop.wait(Int.self) { promise in
                let provider = TableProvider()
                provider.blocks[[1]] = .bytes(pattern(3_000_000))
                provider.blocks[[2]] = .file(
                    try SharedFile(path: "/proc/self/exe"), offset: 0, length: 500_000)
                let blocks = try BlockServer(
                    loop: loop, address: .loopback(), provider: provider, tls: server)
                let peers = BlockClient(loop: loop, tls: client)
                var count = 0
                peers.fetch(
                    Endpoint(blocks.address), [BlockRequest(key: [1]), BlockRequest(key: [2])],
                    deadline: loop.now + .seconds(20)
                ) { index, result in
                    if index == 0 { #expect(isEqual(result, pattern(3_000_000))) }
                    count += (try? result.get())?.count ?? 0
                    guard index == 1 else { return }
                    promise.succeed(count)
                    peers.close()
                    blocks.close()
                }
            }
            #expect(count == 3_500_000)
        }
    }

    @Test("says what is wrong with a certificate that cannot be read")
    func unreadable() {
        let identity = TLSContext.Identity(certificateChain: Array("nonsense".utf8), privateKey: [])
        #expect(throws: NetError.tls("no certificate in the certificate file")) {
            try TLSContext.server(identity: identity)
        }
    }

    @Test("mints no certificate for a host that would say more than a name")
    func hostInjection() throws {
        let authority = try CertificateAuthority(name: "a")
        #expect(throws: NetError.self) { try authority.mint(name: "x", hosts: ["a,DNS:b"]) }
    }
}
