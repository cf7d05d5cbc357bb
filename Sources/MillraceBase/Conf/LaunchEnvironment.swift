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

    /// An environment variable of this process; nil when it is not set or empty.
    public static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
