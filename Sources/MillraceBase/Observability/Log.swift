import Synchronization

/// How much a line of the log matters. `off` is a threshold only: nothing is logged at it.
public enum LogLevel: UInt8, Comparable, Sendable, CaseIterable {
    case debug, info, warn, error, off

    /// The name in settings and in log lines: `debug` … `off`.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warn: "warn"
        case .error: "error"
        case .off: "off"
        }
    }

    /// The level of that name in any case; log4j's other names mean their nearest neighbour.
    public init?(name: some StringProtocol) {
        switch name.lowercased() {
        case "all", "trace", "debug": self = .debug
        case "info": self = .info
        case "warn", "warning": self = .warn
        case "error", "fatal": self = .error
        case "off", "none": self = .off
        default: return nil
        }
    }

    public static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// How a line of the log is written.
public enum LogFormat: UInt8, Sendable, CaseIterable {
    /// `2026-11-21T10:37:48.123Z WARN  driver: executor lost executor=1 reason="exit 137"`
    case text
    /// One JSON object a line: `ts`, `level`, `component`, `message`, then the fields.
    case json
}

/// The log of this process: one line per event, to stderr, quiet by default (`warn`).
///
///     Log.info("driver", "executor registered", ["executor": id, "cores": cores])
///
/// The component is the part that speaks, in one lower-case word (`driver`, `executor`, `net`,
/// `kafka`); the message is a fixed sentence, what varies goes into the fields. Message and fields
/// are evaluated only if the line is written. Usable from any thread; below the threshold a call
/// costs one relaxed atomic load. The threshold starts as `MILLRACE_LOG_LEVEL` says and follows
/// `millrace.log.level` once the settings are read (`configure`). Where lines go is a hook
/// (`setSink`); the one real sink, one `write(2)` to stderr, is in `Log+Stderr.swift`.
public enum Log {
    public typealias Fields = KeyValuePairs<String, Any>

    /// For what helps to find a bug, at any volume.
    @inlinable public static func debug(
        _ component: StaticString, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        if isEnabled(.debug) { write(.debug, component, message(), fields()) }
    }

    /// For the life of a process: who came, who went, what was decided. Not per task, not per
    /// batch.
    @inlinable public static func info(
        _ component: StaticString, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        if isEnabled(.info) { write(.info, component, message(), fields()) }
    }

    /// For what went wrong and was dealt with. Shown by default.
    @inlinable public static func warn(
        _ component: StaticString, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        if isEnabled(.warn) { write(.warn, component, message(), fields()) }
    }

    /// For what went wrong and is given up on.
    @inlinable public static func error(
        _ component: StaticString, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        if isEnabled(.error) { write(.error, component, message(), fields()) }
    }

    /// Whether a line of that level would be written now.
    @inlinable public static func isEnabled(_ level: LogLevel) -> Bool {
        level.rawValue >= threshold.load(ordering: .relaxed)
    }

    /// Sets what is written from now on, in the whole process.
    public static func configure(level: LogLevel, format: LogFormat = .text) {
        threshold.store(level.rawValue, ordering: .relaxed)
        self.format.store(format.rawValue, ordering: .relaxed)
    }

    /// The lines' destination in place of stderr (a test, a file). Called with whole lines, each
    /// ending in "\n", from whichever thread logs; nil is stderr again.
    public static func setSink(_ newSink: (@Sendable ([UInt8]) -> Void)?) {
        sink.withLock { $0 = newSink }
    }

    /// Writes one line whatever the threshold is. The four functions above are the door.
    public static func write(
        _ level: LogLevel, _ component: StaticString, _ message: String, _ fields: Fields
    ) {
        let line = LogLine(
            milliseconds: wallClockMilliseconds(), level: level, component: component.description,
            message: message, fields: fields.map { ($0.key, String(describing: $0.value)) })
        let isJSON = format.load(ordering: .relaxed) == LogFormat.json.rawValue
        let bytes = isJSON ? line.json() : line.text()
        if let sink = sink.withLock({ $0 }) { sink(bytes) } else { StandardError.write(bytes) }
    }

    @usableFromInline static let threshold = Atomic<UInt8>(thresholdFromEnvironment().rawValue)
    static let format = Atomic<UInt8>(LogFormat.text.rawValue)
    private static let sink = Mutex<(@Sendable ([UInt8]) -> Void)?>(nil)
}

extension Log {
    /// Follows the settings `millrace.log.level` and `millrace.log.format` from now on.
    public static func configure(_ conf: Conf) {
        configure(level: conf.log.level, format: conf.log.format)
    }
}
