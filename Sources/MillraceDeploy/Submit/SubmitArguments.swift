public import MillraceBase

/// The command line of `millrace submit`, read but not yet acted on: spark-submit's flags, then
/// the program, then the program's own arguments.
public struct SubmitArguments: Sendable {
    /// From `--conf`, in order, then from the flags that stand for one setting: those are stronger,
    /// wherever they stand, as spark-submit has it.
    public var settings: [ConfSetting] = []
    public var propertiesFile: String?
    public var isVerbose = false
    public var program: String = ""
    public var programArguments: [String] = []

    /// The arguments after `submit`; nil when they ask for help.
    public static func parse(_ arguments: [String]) throws(UsageError) -> SubmitArguments? {
        var parsed = SubmitArguments()
        var named: [ConfSetting] = []
        let known = settingFlags.map(\.flag) + otherFlags + refusedFlags.map(\.flag)
        var reader = ArgumentReader(arguments, flags: known)
        while let flag = try reader.nextFlag() {
            switch flag {
            case "--help", "-h": return nil
            case "--verbose", "-v": parsed.isVerbose = true
            case "--properties-file": parsed.propertiesFile = try reader.value()
            case "--conf", "-c": parsed.settings.append(try setting(try reader.value(), flag))
            default:
                if let refused = refusedFlags.first(where: { $0.flag == flag }) {
                    throw UsageError("\(flag) \(refused.reason)")
                }
                guard let meaning = settingFlags.first(where: { $0.flag == flag }) else {
                    preconditionFailure("\(flag) is known and means nothing")
                }
                named.append(ConfSetting(meaning.key, try reader.value(), from: .flag(flag)))
            }
        }
        parsed.settings += named
        guard let program = reader.rest.first, !program.isEmpty else {
            throw UsageError("no program to run; write millrace submit [flags] BINARY [arguments]")
        }
        parsed.program = program
        parsed.programArguments = Array(reader.rest.dropFirst())
        return parsed
    }

    static func setting(_ text: String, _ flag: String) throws(UsageError) -> ConfSetting {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw UsageError("\(flag) needs KEY=VALUE, got '\(text.prefix(100))'")
        }
        return ConfSetting(
            text[..<equals].trimmingCharacters(), String(text[text.index(after: equals)...]),
            from: .flag(flag))
    }

    /// Flags that stand for one setting.
    static let settingFlags: [(flag: String, key: String)] = [
        ("--master", ApplicationEntries.entries.master.key),
        ("--deploy-mode", ApplicationEntries.entries.deployMode.key),
        ("--name", ApplicationEntries.entries.name.key),
        ("--files", ApplicationEntries.entries.submittedFiles.key),
        ("--num-executors", ExecutorEntries.entries.instances.key),
        ("--executor-cores", ExecutorEntries.entries.cores.key),
        ("--executor-memory", ExecutorEntries.entries.memory.key),
        ("--driver-memory", DriverEntries.entries.memory.key),
    ]

    static let otherFlags = [
        "--conf", "-c", "--properties-file", "--verbose", "-v", "--help", "-h",
    ]

    /// spark-submit's other flags: known, so that a script that has them is told why they are not
    /// taken, instead of having them ignored.
    static let refusedFlags: [(flag: String, reason: String)] =
        ["--supervise", "--kill", "--status", "--driver-cores", "--total-executor-cores"].map {
            ($0, "is not supported yet: it needs a standalone or Kubernetes cluster")
        }
        + [
            "--class", "--jars", "--packages", "--exclude-packages", "--repositories",
            "--py-files", "--archives", "--driver-java-options", "--driver-library-path",
            "--driver-class-path",
        ].map { ($0, "means nothing here: a Millrace application is one binary") }
        + [
            "--proxy-user", "--principal", "--keytab", "--queue", "--remote",
            "--load-spark-defaults",
        ]
        .map { ($0, "is not supported") }
}

extension Substring {
    fileprivate func trimmingCharacters() -> String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
