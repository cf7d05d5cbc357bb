/// One setting, declared once: its key, type, default, meaning and check. The declaration is the
/// only place that knows them; parsing, `millrace conf`, `Configuration.md`, the names accepted
/// from Spark and the messages about wrong values are all derived from it.
public struct ConfEntry<Value: ConfValue>: Sendable {
    /// `millrace.…`, named after Spark's.
    public let key: String
    public let defaultValue: Value
    /// One or two sentences: what it does, and its unit where the type does not say it.
    public let doc: String
    /// What else must hold for a value of the type.
    public let valid: ConfRule<Value>?
    /// Spark's names for it, where `millrace.` → `spark.` does not give them.
    public let aliases: [String]
    /// The unit of a bare number (`s`, `m`), as Spark reads that key; "" is the type's own.
    public let bareUnit: String
    /// The version of Millrace that had it first.
    public let since: String
    /// The values a simulator may draw from; empty when the setting stays at its default there.
    public let simulate: [Value]

    public init(
        _ key: String, default defaultValue: Value, doc: String, valid: ConfRule<Value>? = nil,
        aliases: [String] = [], bareUnit: String = "", since: String = "0.1",
        simulate: [Value] = []
    ) {
        precondition(key.hasPrefix("millrace."), "the key \(key) is not one of Millrace's")
        precondition(valid?.holds(defaultValue) ?? true, "\(key): the default is not valid")
        precondition(
            simulate.allSatisfy { valid?.holds($0) ?? true },
            "\(key): a simulated value is not valid")
        self.key = key
        self.defaultValue = defaultValue
        self.doc = doc
        self.valid = valid
        self.aliases = aliases
        self.bareUnit = bareUnit
        self.since = since
        self.simulate = simulate
    }

    /// The value of that text, or why it is none ("must be at least 1").
    public func parse(_ text: String) throws(ConfRejection) -> Value {
        let trimmed = text.trimmingConfWhitespace()
        let isBare = !trimmed.isEmpty && trimmed.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        guard let value = Value(conf: isBare ? trimmed + bareUnit : trimmed) else {
            throw ConfRejection(reason: Value.confRejection(of: trimmed))
        }
        if let valid, !valid.holds(value) {
            throw ConfRejection(reason: "must be \(valid.text)")
        }
        return value
    }
}

/// What must hold for a setting's value beyond its type; `text` completes "must be …".
public struct ConfRule<Value: Sendable>: Sendable {
    public let text: String
    let holds: @Sendable (Value) -> Bool

    public init(_ text: String, _ holds: @escaping @Sendable (Value) -> Bool) {
        self.text = text
        self.holds = holds
    }

    /// The same rule for a setting that may be absent.
    public static func ifSet<Wrapped: Sendable>(_ rule: ConfRule<Wrapped>) -> ConfRule<Wrapped?>
    where Value == Wrapped? {
        ConfRule<Wrapped?>(rule.text) { $0.map(rule.holds) ?? true }
    }
}

extension ConfRule where Value: Comparable & ConfValue {
    public static func atLeast(_ low: Value) -> ConfRule {
        ConfRule("at least \(low.confText)") { $0 >= low }
    }
    public static func between(_ low: Value, _ high: Value) -> ConfRule {
        ConfRule("between \(low.confText) and \(high.confText)") { $0 >= low && $0 <= high }
    }
}

/// Why a text is not a value of its setting; `Conf` adds the key and where the text came from.
public struct ConfRejection: Error, Sendable {
    public let reason: String
}

/// A `ConfEntry` of any type, as the catalog sees it.
public protocol AnyConfEntry: Sendable {
    var key: String { get }
    var doc: String { get }
    var aliases: [String] { get }
    var since: String { get }
    /// The default as a properties file would say it; "" is "not set".
    var defaultText: String { get }
    /// "an integer, at least 1".
    var kindText: String { get }
    var simulateTexts: [String] { get }
    func parseValue(_ text: String) throws(ConfRejection) -> any Sendable
}

extension ConfEntry: AnyConfEntry {
    public var defaultText: String { defaultValue.confText }
    public var kindText: String { valid.map { "\(Value.confKind), \($0.text)" } ?? Value.confKind }
    public var simulateTexts: [String] { simulate.map(\.confText) }
    public func parseValue(_ text: String) throws(ConfRejection) -> any Sendable {
        try parse(text)
    }
}

/// A group of settings: a struct of `ConfEntry` constants, listed in `Conf.groups`.
///
///     public struct KafkaEntries: ConfEntries {
///         public static let title = "Kafka"
///         public static let entries = KafkaEntries()
///         public let pollTimeout = ConfEntry("millrace.kafka.pollTimeout", default: …, doc: …)
///     }
public protocol ConfEntries: Sendable {
    /// The heading in the catalog.
    static var title: String { get }
    /// The one instance.
    static var entries: Self { get }
}

extension ConfEntries {
    /// The group's entries in the order of their declaration.
    static var all: [any AnyConfEntry] {
        Mirror(reflecting: entries).children.compactMap { $0.value as? any AnyConfEntry }
    }
}
