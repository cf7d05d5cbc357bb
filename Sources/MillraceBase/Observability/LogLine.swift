/// One event of the log on its way to bytes. Whatever the parts contain, the result is one line
/// of at most `maximumBytes`: control characters are escaped, so input from outside that ends up
/// in a message can neither forge a second line nor drive a terminal.
struct LogLine {
    var milliseconds: Int64
    var level: LogLevel
    var component: String
    var message: String
    var fields: [(key: String, value: String)]

    /// A line is one write(2); beyond this it is cut, so that one value cannot flood the log.
    static let maximumBytes = 32 * 1024

    func text() -> [UInt8] {
        var out = Array(ISO8601.text(milliseconds: milliseconds).utf8)
        let name = level.name.uppercased()
        out.append(0x20)
        out.append(contentsOf: name.utf8)
        out.append(contentsOf: repeatElement(0x20, count: max(1, 6 - name.utf8.count)))
        out.append(contentsOf: component.utf8)
        out.append(contentsOf: ": ".utf8)
        Self.escape(message, quote: false, into: &out)
        for (key, value) in fields {
            out.append(0x20)
            Self.escape(key, quote: false, into: &out)
            out.append(UInt8(ascii: "="))
            let plain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 }
            if plain {
                Self.escape(value, quote: false, into: &out)
            } else {
                Self.escape(value, quote: true, into: &out)
            }
        }
        return Self.ended(out)
    }

    /// A line that would be too long drops its last fields rather than to end in half an object.
    func json() -> [UInt8] {
        var out = Array("{\"ts\":\"\(ISO8601.text(milliseconds: milliseconds))\"".utf8)
        func append(_ key: String, _ value: String) {
            let start = out.count
            out.append(UInt8(ascii: ","))
            Self.escape(key, quote: true, into: &out)
            out.append(UInt8(ascii: ":"))
            Self.escape(value, quote: true, into: &out)
            if out.count > Self.maximumBytes - 2 { out.removeSubrange(start...) }
        }
        append("level", level.name)
        append("component", component)
        append("message", message)
        for (key, value) in fields { append(key, value) }
        out.append(UInt8(ascii: "}"))
        out.append(0x0A)
        return out
    }

    private static func ended(_ line: [UInt8]) -> [UInt8] {
        var line = line
        if line.count > maximumBytes - 4 {
            line.removeSubrange((maximumBytes - 4)...)
            while let last = line.last, last & 0xC0 == 0x80 { line.removeLast() }
            if let last = line.last, last >= 0xC0 { line.removeLast() }
            line.append(contentsOf: "...".utf8)
        }
        line.append(0x0A)
        return line
    }

    /// JSON's escapes; unquoted text keeps its quotes and backslashes.
    private static func escape(_ string: String, quote: Bool, into out: inout [UInt8]) {
        if quote { out.append(0x22) }
        for byte in string.utf8 {
            switch byte {
            case 0x22 where quote, 0x5C where quote:
                out.append(0x5C)
                out.append(byte)
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x0D: out.append(contentsOf: "\\r".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                out.append(contentsOf: "\\u00".utf8)
                if digits.utf8.count == 1 { out.append(UInt8(ascii: "0")) }
                out.append(contentsOf: digits.utf8)
            default: out.append(byte)
            }
        }
        if quote { out.append(0x22) }
    }
}
