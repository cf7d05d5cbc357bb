/// The command line of `millrace-interop`.
struct InteropArguments {
    enum Command: Hashable { case help, server, client, benchmark }

    static let help = """
        Usage: millrace-interop server --port P [--host H] [--certificate F --key F [--ca F]]
               millrace-interop client --host H --port P --case NAME [--ca F] [--server-name N]
                                       [--certificate F --key F] [--count N] [--timeout SECONDS]
               millrace-interop benchmark [--count SECONDS]

        server   serves grpc.testing.TestService until SIGTERM; port 0 lets the system choose.
                 --ca: clients need a certificate of that authority.
        client   runs one case against such a server; exit 0 if it passes, 1 if it fails.
                 --ca: TLS, trusting that authority. --count: calls of a soak case (10).
        benchmark  calls, messages and bytes per second between two loops of this process.

        Cases: \(InteropCase.names.joined(separator: " "))
        """

    var command = Command.help
    var host = "127.0.0.1"
    var port: UInt16 = 0
    var name = ""
    var authority: String?
    var certificate: String?
    var key: String?
    var serverName: String?
    var count = 10
    var timeout = 60

    init(_ words: [String]) throws(UsageError) {
        guard let first = words.first else { throw UsageError(message: "server or client?") }
        if words.contains("--help") || words.contains("-h") || first == "help" { return }
        switch first {
        case "server": command = .server
        case "client": command = .client
        case "benchmark": command = .benchmark
        default: throw UsageError(message: "\(first) is neither server, client nor benchmark")
        }
        var given: Set<String> = []
        var index = 1
        while index < words.count {
            let (option, inline) = Self.split(words[index])
            guard option.hasPrefix("--") else {
                throw UsageError(message: "unexpected \(words[index])")
            }
            if inline == nil { index += 1 }
            guard let value = inline ?? (index < words.count ? words[index] : nil) else {
                throw UsageError(message: "\(option) needs a value")
            }
            try set(option, value)
            given.insert(option)
            index += 1
        }
        try check(given)
    }

    private static func split(_ word: String) -> (String, String?) {
        guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }

    private mutating func set(_ option: String, _ value: String) throws(UsageError) {
        switch option {
        case "--host": host = value
        case "--port":
            guard let port = UInt16(value) else {
                throw UsageError(message: "--port \(value) is not 0 to 65535")
            }
            self.port = port
        case "--case": name = value
        case "--ca": authority = value
        case "--certificate": certificate = value
        case "--key": key = value
        case "--server-name": serverName = value
        case "--count":
            guard let count = Int(value), count > 0 else {
                throw UsageError(message: "--count \(value) is not a count")
            }
            self.count = count
        case "--timeout":
            guard let timeout = Int(value), timeout > 0 else {
                throw UsageError(message: "--timeout \(value) is not a number of seconds")
            }
            self.timeout = timeout
        default: throw UsageError(message: "unknown option \(option)")
        }
    }

    private func check(_ given: Set<String>) throws(UsageError) {
        guard command != .benchmark else { return }
        guard given.contains("--port") else { throw UsageError(message: "--port is missing") }
        guard (certificate == nil) == (key == nil) else {
            throw UsageError(message: "--certificate and --key belong together")
        }
        guard command == .client else {
            if authority != nil, certificate == nil {
                throw UsageError(message: "--ca needs --certificate and --key")
            }
            return
        }
        guard given.contains("--case") else { throw UsageError(message: "--case is missing") }
        guard InteropCase(rawValue: name) != nil else {
            throw UsageError(message: "no case \(name)")
        }
        guard port > 0 else { throw UsageError(message: "--port 0 is no server's port") }
    }
}
