import Glibc

/// What a launcher (`millrace submit`, a driver that starts executors) tells the program it starts,
/// by environment variables: the one place that knows their names.
///
/// `getenv` makes this, beside the log's sink, the only file of the module that asks the operating
/// system; it is read once, when a process starts.
public enum LaunchEnvironment {
    /// The settings, as the text of a properties file. A program that is started without a launcher
    /// does not have it and runs with the defaults.
    public static let conf = "MILLRACE_CONF"
    /// The threshold of the log from a process's first line on (`Log`).
    public static let logLevel = "MILLRACE_LOG_LEVEL"

    /// The value of `conf` for these settings.
    public static func text(of conf: Conf) -> String {
        PropertiesFile.text(conf.settings.map { ($0.key, $0.value) })
    }

    /// The settings of this process: what the environment says, below what the program says.
    /// An application calls it once, with its own settings.
    public static func conf(
        adding settings: [ConfSetting] = [], environment: (String) -> String? = variable
    ) throws(ConfError) -> Conf {
        var all: [ConfSetting] = []
        if let level = environment(logLevel) {
            all.append(
                ConfSetting(
                    LogEntries.entries.level.key, level, from: .environment(logLevel)))
        }
        if let text = environment(conf) {
            all += try PropertiesFile.parse(text) { _ in .environment(conf) }
        }
        return try Conf(all + settings)
    }

    /// Where this machine wants temporary files: TMPDIR, or /tmp.
    public static var temporaryFolder: String { variable("TMPDIR") ?? "/tmp" }

    /// An environment variable of this process; nil when it is not set or empty.
    public static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// What a driver tells a process that it starts in executor role.
public struct ExecutorLaunch: Sendable {
    /// Set in every executor, and in nothing else.
    public static let executorVariable = "MILLRACE_EXECUTOR_ID"
    private static let driverVariable = "MILLRACE_DRIVER"
    private static let applicationVariable = "MILLRACE_APPLICATION_ID"
    private static let coresVariable = "MILLRACE_EXECUTOR_CORES"
    private static let memoryVariable = "MILLRACE_EXECUTOR_MEMORY"
    private static let directoryVariable = "MILLRACE_EXECUTOR_DIRECTORY"
    private static let tokenVariable = "MILLRACE_TOKEN"

    public var executor: ExecutorID
    public var driverHost: String
    public var driverPort: Int
    public var applicationID: String
    public var cores: Int
    public var memory: ByteCount
    /// Its own folder for shuffle files.
    public var directory: String
    /// What the processes of one application show each other.
    public var token: String

    public init(
        executor: ExecutorID, driverHost: String, driverPort: Int, applicationID: String,
        cores: Int,
        memory: ByteCount, directory: String, token: String
    ) {
        self.executor = executor
        self.driverHost = driverHost
        self.driverPort = driverPort
        self.applicationID = applicationID
        self.cores = cores
        self.memory = memory
        self.directory = directory
        self.token = token
    }

    /// Where the executor writes each second what its memory is used for, so that whoever started
    /// it can say why it was killed.
    public var lastWillPath: String { directory + "/last-will" }

    /// Environment variables, without the settings.
    public var variables: [(String, String)] {
        [
            (Self.executorVariable, "\(executor.rawValue)"),
            (Self.driverVariable, "\(driverHost):\(driverPort)"),
            (Self.applicationVariable, applicationID), (Self.coresVariable, "\(cores)"),
            (Self.memoryVariable, memory.confText), (Self.directoryVariable, directory),
            (Self.tokenVariable, token),
        ]
    }

    /// Reads `variables` from this process's environment: nil when it is no executor. Throws when
    /// they contradict.
    public init?(environment: (String) -> String? = LaunchEnvironment.variable) throws(ConfError) {
        guard let id = environment(Self.executorVariable) else { return nil }
        func need<Value>(_ name: String, _ parse: (String) -> Value?) throws(ConfError) -> Value {
            guard let text = environment(name), let value = parse(text) else {
                throw ConfError(
                    key: name, value: environment(name) ?? "",
                    reason: "is not what a driver sets for its executors",
                    source: .environment(name))
            }
            return value
        }
        executor = ExecutorID(
            try need(Self.executorVariable) { _ in Int(id).flatMap { $0 >= 0 ? $0 : nil } })
        (driverHost, driverPort) = try need(Self.driverVariable) { text in
            guard let colon = text.lastIndex(of: ":"),
                let port = Int(text[text.index(after: colon)...]),
                (1...65_535).contains(port)
            else { return nil }
            return (String(text[..<colon]), port)
        }
        applicationID = try need(Self.applicationVariable) { $0 }
        cores = try need(Self.coresVariable) { Int($0).flatMap { $0 > 0 ? $0 : nil } }
        memory = try need(Self.memoryVariable) { ByteCount(conf: $0) }
        directory = try need(Self.directoryVariable) { $0 }
        token = try need(Self.tokenVariable) { $0 }
    }
}
