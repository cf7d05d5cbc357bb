/// Where an application runs: Spark's master strings, parsed.
public enum MasterURL: Hashable, Sendable {
    /// `local`, `local[N]`, `local[*]`, `local[N,maxFailures]`: threads of the driver's process. A
    /// task may fail `maxFailures` times in all; in Spark's local mode that is once unless said.
    case local(slots: Slots, maxFailures: Int)
    /// `local-cluster[executors,cores,memoryMiB]`: that many executor processes on this machine.
    case localCluster(executors: Int, cores: Int, memory: ByteCount)
    /// `millrace://host:port[,host:port…]`: a standalone cluster's masters.
    case standalone([HostAndPort])
    /// `k8s://https://host:port`: the API server of a Kubernetes cluster.
    case kubernetes(String)

    /// How many tasks run at once.
    public enum Slots: Hashable, Sendable {
        case count(Int)
        case allCores
    }

    /// A name or address and its port.
    public struct HostAndPort: Hashable, Sendable {
        public var host: String
        public var port: Int
    }

    /// The master of that text, or why there is none: `reason` follows the text in a sentence.
    public init(_ text: String) throws(ConfRejection) {
        if text.hasPrefix("local-cluster") {
            self = try Self.localCluster(text)
        } else if text.hasPrefix("local") {
            self = try Self.local(text)
        } else if let hosts = text.dropPrefix("millrace://") ?? text.dropPrefix("spark://") {
            self = .standalone(try Self.hosts(hosts))
        } else if let server = text.dropPrefix("k8s://") {
            guard !server.isEmpty else {
                throw ConfRejection(reason: "names no API server; write k8s://https://host:6443")
            }
            self = .kubernetes(String(server))
        } else {
            throw ConfRejection(reason: "is not \(Self.confKind)")
        }
    }

    /// Why an application cannot run there in this version, nil when it can.
    public var whyUnsupported: String? {
        switch self {
        case .local, .localCluster: nil
        case .standalone:
            "standalone clusters are not supported yet; use local-cluster[N,cores,MiB]"
        case .kubernetes: "Kubernetes is not supported yet; use local-cluster[N,cores,MiB]"
        }
    }

    private static func local(_ text: String) throws(ConfRejection) -> MasterURL {
        if text == "local" { return .local(slots: .count(1), maxFailures: 1) }
        guard let arguments = brackets(text, after: "local"), (1...2).contains(arguments.count)
        else { throw ConfRejection(reason: "is not local, local[N], local[*] or local[N,F]") }
        let slots: Slots
        if arguments[0] == "*" {
            slots = .allCores
        } else {
            slots = .count(try number(arguments[0], "threads", 1...4_096))
        }
        let failures = arguments.count == 2 ? try number(arguments[1], "failures", 1...1_000) : 1
        return .local(slots: slots, maxFailures: failures)
    }

    private static func localCluster(_ text: String) throws(ConfRejection) -> MasterURL {
        guard let arguments = brackets(text, after: "local-cluster"), arguments.count == 3 else {
            throw ConfRejection(reason: "is not local-cluster[executors,cores,memoryMiB]")
        }
        return .localCluster(
            executors: try number(arguments[0], "executors", 1...1_000),
            cores: try number(arguments[1], "cores", 1...4_096),
            memory: .mebibytes(try number(arguments[2], "MiB of memory", 64...(1 << 30))))
    }

    private static func brackets(_ text: String, after name: String) -> [String]? {
        guard let rest = text.dropPrefix(name), rest.first == "[", rest.last == "]", rest.count > 2
        else { return nil }
        return rest.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingConfWhitespace() }
    }

    private static func number(
        _ text: String, _ what: String, _ range: ClosedRange<Int>
    ) throws(ConfRejection) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw ConfRejection(
                reason: "asks for \(text.isEmpty ? "no" : text) \(what), which must be between "
                    + "\(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    private static func hosts(_ text: Substring) throws(ConfRejection) -> [HostAndPort] {
        var found: [HostAndPort] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let colon = part.lastIndex(of: ":"), colon != part.startIndex,
                let port = Int(part[part.index(after: colon)...]), (1...65_535).contains(port)
            else { throw ConfRejection(reason: "is not millrace://host:port[,host:port]") }
            found.append(HostAndPort(host: String(part[..<colon]), port: port))
        }
        return found
    }
}

extension MasterURL: ConfValue {
    public init?(conf text: String) {
        guard let master = try? MasterURL(text) else { return nil }
        self = master
    }

    /// As Spark writes it.
    public var confText: String {
        switch self {
        case .local(.count(let count), 1): "local[\(count)]"
        case .local(.allCores, 1): "local[*]"
        case .local(.count(let count), let failures): "local[\(count),\(failures)]"
        case .local(.allCores, let failures): "local[*,\(failures)]"
        case .localCluster(let executors, let cores, let memory):
            "local-cluster[\(executors),\(cores),\(memory.mebibytes)]"
        case .standalone(let hosts):
            "millrace://" + hosts.map { "\($0.host):\($0.port)" }.joined(separator: ",")
        case .kubernetes(let server): "k8s://" + server
        }
    }

    public static var confKind: String {
        "local[N], local[*], local[N,failures], local-cluster[executors,cores,MiB], "
            + "millrace://host:port or k8s://https://host:port"
    }

    public static func confRejection(of text: String) -> String {
        do throws(ConfRejection) {
            _ = try MasterURL(text)
            return "is not \(confKind)"
        } catch {
            return error.reason
        }
    }
}

extension String {
    /// The rest after that prefix, nil without it.
    func dropPrefix(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
