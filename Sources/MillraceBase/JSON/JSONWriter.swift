/// Writing JSON as Spark's Jackson does: `compact` for logs, `pretty` for people.
extension JSONValue {
    /// One line without spaces: `{"a":1,"b":[true,null]}`.
    public var compact: String {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Jackson's default pretty printer: two spaces per level, `"name" : value`, arrays on the
    /// line.
    public var pretty: String {
        var bytes: [UInt8] = []
        writePretty(into: &bytes, indent: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the compact form.
    public func write(into bytes: inout [UInt8]) {
        switch self {
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONValue.writeQuoted(member.name, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        default: writeScalar(into: &bytes)
        }
    }

    /// Appends a string with its quotes, escaping only what JSON demands (upper-case hex, as
    /// Jackson).
    public static func writeQuoted(_ string: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case 0x08: bytes.append(contentsOf: #"\b"#.utf8)
            case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
            case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
            case 0x0C: bytes.append(contentsOf: #"\f"#.utf8)
            case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
            case 0..<0x20:
                bytes.append(contentsOf: byte < 0x10 ? #"\u000"#.utf8 : #"\u00"#.utf8)
                bytes.append(contentsOf: String(byte, radix: 16, uppercase: true).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func writeScalar(into bytes: inout [UInt8]) {
        switch self {
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: value.description.utf8)
        case .double(let value) where value.isFinite:
            bytes.append(contentsOf: value.description.utf8)
        case .string(let value): JSONValue.writeQuoted(value, into: &bytes)
        default: bytes.append(contentsOf: "null".utf8)
        }
    }

    private func writePretty(into bytes: inout [UInt8], indent: Int) {
        switch self {
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                bytes.append(contentsOf: (index > 0 ? ", " : " ").utf8)
                value.writePretty(into: &bytes, indent: indent)
            }
            bytes.append(contentsOf: " ]".utf8)
        case .object(let object) where object.isEmpty:
            bytes.append(contentsOf: "{ }".utf8)
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONValue.writeNewLine(into: &bytes, indent: indent + 1)
                JSONValue.writeQuoted(member.name, into: &bytes)
                bytes.append(contentsOf: " : ".utf8)
                member.value.writePretty(into: &bytes, indent: indent + 1)
            }
            JSONValue.writeNewLine(into: &bytes, indent: indent)
            bytes.append(UInt8(ascii: "}"))
        default: writeScalar(into: &bytes)
        }
    }

    private static func writeNewLine(into bytes: inout [UInt8], indent: Int) {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * 2))
    }
}

extension JSONValue: CustomStringConvertible {
    /// The compact form.
    public var description: String { compact }
}
