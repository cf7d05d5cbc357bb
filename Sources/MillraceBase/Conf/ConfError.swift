/// Where a setting was given, for messages.
public enum ConfSource: Hashable, Sendable, CustomStringConvertible {
    /// A line of a properties file; lines count from 1.
    case file(String, line: Int)
    /// A flag of a command, as typed: `--conf`, `--executor-memory`.
    case flag(String)
    /// An environment variable.
    case environment(String)
    /// The program itself, through its API.
    case program

    public var description: String {
        switch self {
        case .file(let path, let line): "\(path):\(line)"
        case .flag(let name): name
        case .environment(let name): "environment variable \(name)"
        case .program: "set in the program"
        }
    }
}

/// One setting as it was given: not yet checked.
public struct ConfSetting: Hashable, Sendable {
    public var key: String
    public var value: String
    public var source: ConfSource
    public init(_ key: String, _ value: String, from source: ConfSource = .program) {
        self.key = key
        self.value = value
        self.source = source
    }
}

/// What is wrong with a setting, where it was given, and what would be right, in one line:
/// `spark-defaults.conf:3: millrace.task.maxFailures=0: must be at least 1`.
public struct ConfError: Error, Hashable, Sendable, CustomStringConvertible {
    public var key: String
    /// As given; already hidden if the key or the value looks like a secret.
    public var value: String
    /// "must be at least 1", "is not a known setting; did you mean …?"
    public var reason: String
    public var source: ConfSource

    public init(key: String, value: String, reason: String, source: ConfSource) {
        self.key = key
        self.value = value
        self.reason = reason
        self.source = source
    }

    public var description: String {
        let subject = key.isEmpty ? "" : value.isEmpty ? "\(key) " : "\(key)=\(value) "
        return "\(source): \(subject)\(reason)"
    }
}

extension MillraceError {
    /// A wrong setting, as the user of the API sees it.
    public init(_ error: ConfError) {
        self.init(.invalidArgument, error.description, cause: nil)
    }
}
