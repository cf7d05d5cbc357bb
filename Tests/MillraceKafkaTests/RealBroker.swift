import Foundation

@testable import MillraceKafka

/// A real Kafka broker for the tests: one per test process, started at the first use, ended with
/// the process.
///
/// `KAFKA_HOME` names a Kafka distribution; without it the suites that need a broker are skipped.
/// `deploy/kafka.sh` starts it; a distribution with a `kafka.sh` of its own, which can do TLS, is
/// started by that.
final class RealBroker: Sendable {
    static let missing = "set KAFKA_HOME to a Kafka distribution, and have java on the PATH"
    static let missingTLS = "needs a KAFKA_HOME whose kafka.sh knows --tls"

    private static let home = ProcessInfo.processInfo.environment["KAFKA_HOME"]
    static var isAvailable: Bool { home != nil }
    static var isMeasured: Bool {
        isAvailable && ProcessInfo.processInfo.environment["MILLRACE_MEASURE"] != nil
    }
    static var hasTLS: Bool {
        home.map { FileManager.default.isExecutableFile(atPath: "\($0)/kafka.sh") } ?? false
    }
    private static let ownScript = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("deploy/kafka.sh").path

    static let shared = Result { try RealBroker() }

    let port: Int
    let directory: String

    private init() throws {
        port = Self.freePort()
        directory = NSTemporaryDirectory() + "/millrace-kafka-\(port)"
        atexit { if case .success(let broker) = RealBroker.shared { broker.stop() } }
        if Self.hasTLS {
            try run("up", "--brokers", "1", "--tls", "--port", "\(port)", "--dir", directory)
        } else {
            try run("up", directory, "\(port)")
        }
    }

    var clear: [KafkaProperty] { properties("127.0.0.1:\(port)") }
    /// Mutual TLS, given as a user of Spark would (PEM stores).
    var secured: [KafkaProperty] {
        properties(
            "127.0.0.1:\(port + 1)",
            [
                "security.protocol": "ssl", "ssl.truststore.type": "PEM",
                "ssl.truststore.location": "\(directory)/tls/ca.pem",
                "ssl.certificate.location": "\(directory)/tls/client.pem",
                "ssl.key.location": "\(directory)/tls/client.key",
            ])
    }
    var withoutCertificate: [KafkaProperty] {
        properties(
            "127.0.0.1:\(port + 1)",
            ["security.protocol": "ssl", "ssl.ca.location": "\(directory)/tls/ca.pem"])
    }

    func kill() throws { try runVerb("kill", "1") }
    func start() throws { try runVerb("start", "1") }
    private func stop() { try? runVerb("down") }

    private func runVerb(_ verb: String, _ broker: String...) throws {
        if Self.hasTLS {
            try run([verb] + broker + ["--dir", directory])
        } else {
            try run(verb, directory)
        }
    }

    private func run(_ arguments: String...) throws { try run(arguments) }
    private func run(_ arguments: [String]) throws {
        // Not Foundation's Process: it waits for the broker too, which inherits its descriptors.
        let script = Self.hasTLS ? "\(Self.home ?? "")/kafka.sh" : Self.ownScript
        let words = ([script] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let code = system("timeout 120 \(words) </dev/null >/dev/null 2>&1")
        guard code == 0 else {
            throw KafkaError(.broker, "kafka.sh \(arguments) failed with status \(code)")
        }
    }

    /// A port that is free now, with the three after it by convention of kafka.sh.
    private static func freePort() -> Int {
        while true {
            let port = Int.random(in: 20_000..<30_000)
            if (0...3).allSatisfy({ isFree(port + $0) }) { return port }
        }
    }
    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
