/// Hides secrets in settings that are shown: in logs, on the UI, by `millrace submit --verbose`.
/// Spark's rule (`spark.redaction.regex`): a setting is a secret if its key or its value matches.
public struct ConfRedaction: Sendable {
    public static let replacement = "*********(redacted)"
    public static let standardPattern = "(?i)secret|password|token|access[.]?key"
    public static let standard = ConfRedaction(pattern: standardPattern)

    let pattern: String

    /// A pattern that is not a regular expression is a bug of the caller: settings that hold one
    /// have the type `ConfPattern`, which is checked when it is read.
    public init(pattern: String) {
        precondition((try? Regex(pattern)) != nil, "\(pattern) is not a regular expression")
        self.pattern = pattern
    }

    /// The value as it may be shown.
    public func redacted(_ key: String, _ value: String) -> String {
        guard !value.isEmpty, let regex = try? Regex(pattern) else { return value }
        return key.contains(regex) || value.contains(regex) ? Self.replacement : value
    }
}

/// A regular expression as a setting's value.
public struct ConfPattern: ConfValue, Hashable {
    public let text: String
    static let standard = ConfPattern(checked: ConfRedaction.standardPattern)

    private init(checked text: String) { self.text = text }
    public init?(conf text: String) {
        guard (try? Regex(text)) != nil else { return nil }
        self.text = text
    }
    public var confText: String { text }
    public static var confKind: String { "a regular expression" }
}

extension Conf {
    /// The given settings as they may be shown, sorted by key.
    public var redacted: [(key: String, value: String)] {
        let rule = ConfRedaction(pattern: log.redaction.text)
        return settings.map { ($0.key, rule.redacted($0.key, $0.value)) }
    }
}
