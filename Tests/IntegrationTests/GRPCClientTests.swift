import Foundation
import MillraceNet
import Testing

/// The control port as a program nobody here wrote sees it.
@Suite(.serialized) struct GRPCClientTests {
    static let python = ProcessInfo.processInfo.environment["MILLRACE_PYTHON"]

    @Test(
        "grpcio lists services and calls them over mutual TLS, and is refused without a certificate",
        .enabled(
            if: python != nil,
            "MILLRACE_PYTHON names no Python with grpcio; deploy/test.sh makes one"))
    func overMutualTLS() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try mintCertificates(folder)
        let port = try freePort()
        let conf = """
            millrace.master=local-cluster[2,1,512]
            millrace.app.name=grpc-test
            millrace.driver.port=\(port)
            millrace.ssl.enabled=true
            millrace.ssl.certificateFile=\(folder.path)/process.pem
            millrace.ssl.privateKeyFile=\(folder.path)/process.key
            millrace.ssl.authorityFile=\(folder.path)/ca.pem
            """
        let driver = try Program.built("ClusterJobs").start(
            ["wait"], environment: ["MILLRACE_CONF": conf])
        defer { driver.signal(SIGKILL) }
        try #require(driver.prints("ready"), "\(driver.errorText)")
        let script = Program.sources.appendingPathComponent(
            "Tests/IntegrationTests/Clients/grpc_client.py")
        let client = try Program(path: try #require(Self.python))
            .run([script.path, "127.0.0.1:\(port)", folder.path], limit: 90)
        #expect(client.code == 0, "\(client.output)\(client.errors)")
        #expect(client.output.contains("refused without a certificate"))
    }

    private func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-grpc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func mintCertificates(_ folder: URL) throws {
        let authority = try CertificateAuthority(name: "millrace-test")
        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: folder.appendingPathComponent(name))
        }
        try write("ca.pem", authority.certificate)
        for name in ["process", "client"] {
            let identity = try authority.mint(name: name, hosts: ["127.0.0.1", "localhost"])
            try write("\(name).pem", identity.certificateChain)
            try write("\(name).key", identity.privateKey)
        }
    }
}

/// A port of loopback that nobody listens on at this moment.
func freePort() throws -> Int {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(file, $0, length) == 0 ? getsockname(file, $0, &length) : -1
        }
    }
    try #require(code == 0)
    return Int(UInt16(bigEndian: address.sin_port))
}
