/// A type that a setting may have: read from the text of a properties file, written back to it.
///
/// Always true: `Self(conf: value.confText)` is `value`.
public protocol ConfValue: Sendable {
    /// nil when the text (trimmed of white space) is not one.
    init?(conf text: String)
    /// What `init(conf:)` reads.
    var confText: String { get }
    /// What a text must be, with its article: "an integer". For messages and the catalog.
    static var confKind: String { get }
    /// Why that text is none, to follow the key and the value: "is not an integer".
    static func confRejection(of text: String) -> String
}

extension ConfValue {
    public static func confRejection(of text: String) -> String { "is not \(confKind)" }
}

extension Int: ConfValue {
    public init?(conf text: String) { self.init(text, radix: 10) }
    public var confText: String { String(self) }
    public static var confKind: String { "an integer" }
}

extension Double: ConfValue {
    public init?(conf text: String) {
        guard let value = Double(text), value.isFinite else { return nil }
        self = value
    }
    public var confText: String { String(self) }
    public static var confKind: String { "a number" }
}

extension Bool: ConfValue {
    public init?(conf text: String) {
        switch text.lowercased() {
        case "true": self = true
        case "false": self = false
        default: return nil
        }
    }
    public var confText: String { self ? "true" : "false" }
    public static var confKind: String { "true or false" }
}

extension String: ConfValue {
    public init?(conf text: String) { self = text }
    public var confText: String { self }
    public static var confKind: String { "a text" }
}

/// An empty text is "not set".
extension Optional: ConfValue where Wrapped: ConfValue {
    public init?(conf text: String) {
        if text.isEmpty {
            self = Wrapped?.none
            return
        }
        guard let value = Wrapped(conf: text) else { return nil }
        self = Wrapped?.some(value)
    }
    public var confText: String { self?.confText ?? "" }
    public static var confKind: String { Wrapped.confKind }
    public static func confRejection(of text: String) -> String {
        Wrapped.confRejection(of: text)
    }
}

/// Separated by commas; white space around an element and empty elements do not count.
extension Array: ConfValue where Element: ConfValue {
    public init?(conf text: String) {
        self = []
        for part in text.split(separator: ",") {
            let trimmed = part.trimmingConfWhitespace()
            if trimmed.isEmpty { continue }
            guard let element = Element(conf: trimmed) else { return nil }
            append(element)
        }
    }
    public var confText: String { map(\.confText).joined(separator: ",") }
    public static var confKind: String { "a list, separated by commas, each \(Element.confKind)" }
}

/// A setting with a few named values: declare `enum Mode: String, CaseIterable, ConfChoice`.
/// Upper and lower case are the same.
public protocol ConfChoice: ConfValue, CaseIterable, RawRepresentable where RawValue == String {}

extension ConfChoice {
    public init?(conf text: String) {
        let wanted = text.lowercased()
        guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == wanted })
        else { return nil }
        self = found
    }
    public var confText: String { rawValue }
    public static var confKind: String {
        "one of " + allCases.map(\.rawValue).joined(separator: ", ")
    }
}

extension LogLevel: ConfValue {
    public init?(conf text: String) { self.init(name: text) }
    public var confText: String { name }
    public static var confKind: String {
        "one of " + allCases.map(\.name).joined(separator: ", ")
    }
}

extension LogFormat: ConfValue {
    public init?(conf text: String) {
        switch text.lowercased() {
        case "text": self = .text
        case "json": self = .json
        default: return nil
        }
    }
    public var confText: String { self == .json ? "json" : "text" }
    public static var confKind: String { "one of text, json" }
}

extension StringProtocol {
    /// Without the spaces, tabs and line ends at both ends.
    func trimmingConfWhitespace() -> String {
        let blank: (UInt8) -> Bool = { $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0D) }
        let bytes = Array(utf8)
        guard let first = bytes.firstIndex(where: { !blank($0) }),
            let last = bytes.lastIndex(where: { !blank($0) })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
