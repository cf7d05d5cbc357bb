/// The settings of an application, complete and checked: reading one cannot fail.
///
///     let conf = try Conf(["millrace.task.maxFailures": "8"])
///     conf.scheduler.maxTaskFailures        // 8, an Int
///     conf.network.timeout                  // .seconds(120), the default
///
/// Each setting is declared once, in a group (`SchedulerEntries`, …; all of them in `Conf.groups`).
/// A key may be Millrace's or Spark's name for the same thing. Spark's keys that change nothing
/// here are kept in `ignoredKeys` (say `warning`, once); a key nobody knows is an error with the
/// nearest known name. Two settings that contradict each other are an error too
/// (`Conf+Relations.swift`). A read is a dictionary lookup: components copy what they need in
/// their `init`.
public struct Conf: Sendable {
    /// What was given, under Millrace's names, sorted by key: the last one of each key.
    public let settings: [ConfSetting]
    /// Keys that Spark knows and that change nothing here, in the order given.
    public let ignoredKeys: [String]
    let values: ConfValues

    /// All defaults.
    public init() {
        settings = []
        ignoredKeys = []
        values = ConfValues(parsed: [:])
    }

    /// For programs and tests. Where a setting is given under Millrace's and under Spark's name,
    /// Millrace's counts.
    public init(_ settings: [String: String]) throws(ConfError) {
        let sorted = settings.sorted { left, right in
            let (leftIsSpark, rightIsSpark) =
                (left.key.hasPrefix("spark."), right.key.hasPrefix("spark."))
            return leftIsSpark == rightIsSpark ? left.key < right.key : leftIsSpark
        }
        try self.init(sorted.map { ConfSetting($0.key, $0.value) })
    }

    /// For layers of settings, weakest first: of two settings of one key the later one counts.
    public init(_ settings: [ConfSetting]) throws(ConfError) {
        var given: [String: ConfSetting] = [:]
        var parsed: [String: any Sendable] = [:]
        var ignored: [String] = []
        for setting in settings {
            switch Conf.lookUp(setting.key) {
            case .known(let entry):
                do throws(ConfRejection) {
                    parsed[entry.key] = try entry.parseValue(setting.value)
                } catch {
                    throw Conf.failure(setting, error.reason)
                }
                given[entry.key] = ConfSetting(entry.key, setting.value, from: setting.source)
            case .ignored:
                if !ignored.contains(setting.key) { ignored.append(setting.key) }
            case .unknown(let reason):
                throw Conf.failure(setting, reason)
            }
        }
        self.settings = given.values.sorted { $0.key < $1.key }
        ignoredKeys = ignored
        values = ConfValues(parsed: parsed)
        try checkRelations()
    }

    /// These settings with others on top.
    public func adding(_ settings: [ConfSetting]) throws(ConfError) -> Conf {
        try Conf(self.settings + settings)
    }

    /// The text given for that key (Millrace's name), nil when it is at its default.
    public func given(_ key: String) -> ConfSetting? { settings.first { $0.key == key } }

    /// The one line to show when settings were given that change nothing here, else nil.
    public var warning: String? {
        guard !ignoredKeys.isEmpty else { return nil }
        let noun =
            ignoredKeys.count == 1 ? "this Spark setting changes" : "these Spark settings change"
        return "\(noun) nothing here: " + ignoredKeys.joined(separator: ", ")
    }

    /// The error for a setting, its value hidden when it may be a secret.
    static func failure(_ setting: ConfSetting, _ reason: String) -> ConfError {
        let shown = ConfRedaction.standard.redacted(setting.key, setting.value)
        return ConfError(key: setting.key, value: shown, reason: reason, source: setting.source)
    }
}

/// The parsed values that differ from their defaults, by key.
struct ConfValues: Sendable {
    let parsed: [String: any Sendable]

    func value<Value>(_ entry: ConfEntry<Value>) -> Value {
        guard let value = parsed[entry.key] else { return entry.defaultValue }
        guard let typed = value as? Value else {
            preconditionFailure("\(entry.key) is declared twice, with different types")
        }
        return typed
    }
}

/// One group's values: `conf.scheduler.maxTaskFailures` reads the entry
/// `SchedulerEntries.maxTaskFailures` with its own type.
@dynamicMemberLookup public struct ConfGroup<Entries: ConfEntries>: Sendable {
    let values: ConfValues

    public subscript<Value>(dynamicMember path: KeyPath<Entries, ConfEntry<Value>>) -> Value {
        values.value(Entries.entries[keyPath: path])
    }
}
