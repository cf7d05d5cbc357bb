/// A JSON text as a value, with the members of objects in their order.
///
/// For what people and tools read: the logs of a checkpoint, progress events, offsets, manifests.
/// Parsing (`JSONValue(parsing:)`) trusts nothing and says where it stopped; writing (`compact`,
/// `pretty`) gives what Spark's Jackson gives, byte for byte. Integers stay integers: a number with
/// neither fraction nor exponent that fits `Int64` is `.integer`, any other is `.double`.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Finite. A value that is not is written as `null`, for JSON has no word for it.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The member of that name, if this is an object that has one.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// The string, or nil for anything else. The others below likewise.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }
    public var integerValue: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }
    /// Any number as a `Double`.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }
    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }
    public var isNull: Bool { self == .null }

    /// What this is, in words for an error: "a string", "an object", …
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

/// The members of a JSON object, in their order; no name twice.
public struct JSONObject: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One `"name": value`.
    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: JSONValue
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var members: [Member]

    public init() { members = [] }

    /// Of two members with one name the later wins, in the place of the earlier.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        self.members = []
        for (name, value) in members { self[name] = value }
    }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }

    /// For the parser, which has checked that names are unique.
    init(uniqueMembers: [Member]) { members = uniqueMembers }

    public var isEmpty: Bool { members.isEmpty }
    public var count: Int { members.count }

    /// Setting appends, replaces in place, or (nil) removes. Linear in the number of members.
    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
        }
    }
}
