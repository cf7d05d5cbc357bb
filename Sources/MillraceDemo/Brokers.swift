import Glibc
import MillraceBase
import MillraceDriver
import MillraceKafka

/// The Kafka cluster of the demo: a running one, a real broker of its own, or librdkafka's mock
/// cluster.
final class Brokers {
    let bootstrap: String
    let kind: String
    private let mock: ChildProcess?
    private let kafka: (script: String, folder: String, log: String)?

    init(_ options: DemoOptions, programs: Programs, folder: String) throws {
        if let brokers = options.brokers {
            (bootstrap, kind, mock, kafka) = (brokers, "a running Kafka", nil, nil)
            return
        }
        let log = "\(folder)/brokers.log"
        if let home = getenv("KAFKA_HOME"), home.pointee != 0 {
            let script = try Self.script(programs)
            let port = try Self.freePorts()
            try Programs.run(script, ["up", "\(folder)/kafka", "\(port)"], output: log)
            bootstrap = "127.0.0.1:\(port)"
            kind = "a real Kafka broker"
            mock = nil
            kafka = (script, "\(folder)/kafka", log)
            return
        }
        let portFile = "\(folder)/bootstrap"
        let child = try programs.start(
            "millrace",
            ["kafka-dev", "--topic", "lines:4", "--port-file", portFile, "--die-with-parent"],
            output: log)
        bootstrap = try Self.contents(of: portFile, within: .seconds(20), child)
        kind = "librdkafka's mock cluster"
        mock = child
        kafka = nil
    }

    /// Makes a topic of 4 partitions and returns when the brokers have it, so that neither producer
    /// nor job meets them without. The mock cluster has its topic from the start.
    func make(_ topic: String) throws {
        guard mock == nil else { return }
        _ = try KafkaAdmin(properties: [KafkaProperty("bootstrap.servers", bootstrap)])
            .createTopic(topic, partitions: 4, timeout: .seconds(30))
    }

    /// SIGKILL to the broker, then a new start on the same data; returns when it answers.
    func restart() throws {
        guard let kafka else { preconditionFailure("refused with the options") }
        try Programs.run(kafka.script, ["kill", kafka.folder], output: kafka.log)
        try Programs.run(kafka.script, ["start", kafka.folder], output: kafka.log)
    }

    func stop() {
        mock?.signal(SIGTERM)
        if let mock { _ = Programs.wait(for: mock, within: .seconds(5)) }
        if let kafka {
            try? Programs.run(kafka.script, ["down", kafka.folder], output: kafka.log)
        }
    }

    /// `deploy/kafka.sh`, from the variable that `deploy/demo.sh` sets.
    private static func script(_ programs: Programs) throws -> String {
        guard let folder = getenv("MILLRACE_DEPLOY") else {
            throw MillraceError(
                .invalidArgument, "start the demo by deploy/demo.sh, which knows kafka.sh")
        }
        return "\(String(cString: folder))/kafka.sh"
    }

    /// A port that is free, and the next one too.
    private static func freePorts() throws -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20_000...32_000)
            if isFree(port), isFree(port + 1) { return port }
        }
        throw MillraceError(.unavailable, "no two free ports between 20000 and 32000")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// The file's text once the child has written it (whole, by rename).
    private static func contents(
        of path: String, within limit: Duration, _ child: ChildProcess
    ) throws -> String {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if let file = fopen(path, "r") {
                defer { fclose(file) }
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = fread(&buffer, 1, buffer.count, file)
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                return String(text.prefix { !$0.isNewline })
            }
            if let ending = Programs.wait(for: child, within: .milliseconds(20)) {
                throw MillraceError(.unavailable, "the brokers' process \(ending)")
            }
        }
        throw MillraceError(.deadlineExceeded, "the brokers were not ready within \(limit)")
    }
}
