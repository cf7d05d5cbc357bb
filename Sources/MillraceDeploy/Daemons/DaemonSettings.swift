public import MillraceBase

/// The settings of a daemon: those of a properties file, then those of its command line.
public struct DaemonSettings: Sendable {
    public var settings: [ConfSetting] = []
    public var propertiesFile: String?

    /// The flags that every daemon takes for them.
    public static let flags = ["--conf", "-c", "--properties-file"]

    public init() {}

    /// Takes the flag that the reader has just read, if it is one of these.
    public mutating func take(
        _ flag: String, _ reader: inout ArgumentReader
    ) throws(UsageError) -> Bool {
        switch flag {
        case "--conf", "-c":
            settings.append(try SubmitArguments.setting(try reader.value(), flag))
        case "--properties-file": propertiesFile = try reader.value()
        default: return false
        }
        return true
    }

    /// The settings, checked. Throws when a file cannot be read or a setting is wrong.
    public func conf() throws(Submission.Refusal) -> Conf {
        var all: [ConfSetting] = []
        if let propertiesFile { all += try Submission.readProperties(propertiesFile) }
        return try Submission.checked(all + settings)
    }
}
