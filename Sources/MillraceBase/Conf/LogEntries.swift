/// What the processes write to stderr.
public struct LogEntries: ConfEntries {
    public static let title = "Logging"
    public static let entries = LogEntries()

    public let level = ConfEntry(
        "millrace.log.level", default: LogLevel.warn,
        doc: "The least important line that is written. `MILLRACE_LOG_LEVEL` sets it from the "
            + "start of a process on.")
    public let format = ConfEntry(
        "millrace.log.format", default: LogFormat.text,
        doc: "One readable line an event, or one JSON object.")
    public let redaction = ConfEntry(
        "millrace.redaction.regex", default: ConfPattern.standard,
        doc: "A setting whose key or value matches is a secret: shown as "
            + "`\(ConfRedaction.replacement)`.")
}
