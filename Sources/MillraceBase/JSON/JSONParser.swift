/// Why a text is not the JSON it should be, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In bytes from the start of the text.
    public var offset: Int
    /// Both from 1; the column counts bytes.
    public var line: Int
    public var column: Int
    /// What was expected there and what is there.
    public var reason: String

    public init(offset: Int, line: Int, column: Int, reason: String) {
        self.offset = offset
        self.line = line
        self.column = column
        self.reason = reason
    }

    public var description: String { "line \(line), column \(column): \(reason)" }
}

/// What a parser accepts at most, so that no input costs more than its own size.
public struct JSONLimits: Sendable {
    /// Arrays and objects within one another.
    public var depth: Int
    /// Bytes of text.
    public var size: Int
    public init(depth: Int = 128, size: Int = 64 << 20) {
        self.depth = depth
        self.size = size
    }
}

extension JSONValue {
    /// Parses one JSON text (RFC 8259, UTF-8; white space around it is allowed, nothing else is).
    public init(
        parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()
    ) throws(JSONError) {
        var parser = JSONParser(bytes: bytes, limits: limits)
        self = try parser.parseText()
    }

    public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }
}

/// Recursive descent with a depth limit; numbers and strings are in `JSONParser+Scalars.swift`.
struct JSONParser {
    let bytes: [UInt8]
    let limits: JSONLimits
    var position = 0
    private var depth = 0

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parseText() throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.size else {
            throw failure("\(bytes.count) bytes are more than the \(limits.size) that are read")
        }
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else {
            throw failure("the end is expected, not \(nextInWords)")
        }
        return value
    }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try parseObject())
        case UInt8(ascii: "["): return .array(try parseArray())
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            return try parseNumber()
        default: throw failure("a value is expected, not \(nextInWords)")
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSONObject {
        try enter()
        var members: [JSONObject.Member] = []
        var names = Set<String>()
        if skipSpaceAndTake("}") {
            depth -= 1
            return JSONObject()
        }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else {
                throw failure("a member's name in quotes is expected, not \(nextInWords)")
            }
            let start = position
            let name = try parseString()
            guard names.insert(name).inserted else {
                position = start
                throw failure("the name \"\(name)\" appears twice in one object")
            }
            guard skipSpaceAndTake(":") else {
                throw failure("':' is expected, not \(nextInWords)")
            }
            members.append(JSONObject.Member(name, try parseValue()))
        } while skipSpaceAndTake(",")
        guard skipSpaceAndTake("}") else {
            throw failure("',' or '}' is expected, not \(nextInWords)")
        }
        depth -= 1
        return JSONObject(uniqueMembers: members)
    }

    private mutating func parseArray() throws(JSONError) -> [JSONValue] {
        try enter()
        var values: [JSONValue] = []
        if !skipSpaceAndTake("]") {
            repeat { values.append(try parseValue()) } while skipSpaceAndTake(",")
            guard skipSpaceAndTake("]") else {
                throw failure("',' or ']' is expected, not \(nextInWords)")
            }
        }
        depth -= 1
        return values
    }

    /// Takes the opening bracket.
    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= limits.depth else {
            throw failure("arrays and objects are nested deeper than \(limits.depth)")
        }
        position += 1
    }

    private mutating func parseWord(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        let text = word.description
        guard end <= bytes.count, bytes[position..<end].elementsEqual(text.utf8) else {
            throw failure("\(text) is expected")
        }
        position = end
        return value
    }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func skipSpaceAndTake(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    var nextInWords: String {
        guard let byte = peek else { return "the end" }
        if (0x21...0x7E).contains(byte) { return "'\(Unicode.Scalar(byte))'" }
        return "byte 0x" + String(byte, radix: 16)
    }

    func failure(_ reason: String) -> JSONError {
        let before = bytes[..<min(position, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONError(
            offset: position, line: line, column: before.count - start + 1, reason: reason)
    }
}
