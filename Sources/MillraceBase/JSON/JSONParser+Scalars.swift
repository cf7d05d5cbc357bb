/// Strings and numbers.
extension JSONParser {
    /// From the opening quote to behind the closing one.
    mutating func parseString() throws(JSONError) -> String {
        let open = position
        position += 1
        var text: [UInt8] = []
        var run = position
        while true {
            guard let byte = peek else {
                position = open
                throw failure("the string that begins here has no end")
            }
            switch byte {
            case UInt8(ascii: "\""):
                text.append(contentsOf: bytes[run..<position])
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    position = open
                    throw failure("the string that begins here is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                text.append(contentsOf: bytes[run..<position])
                position += 1
                try parseEscape(into: &text)
                run = position
            case 0..<0x20: throw failure("a control character stands in a string without escape")
            default: position += 1
            }
        }
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw failure("an escape is expected, not the end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: try parseUnicodeEscape())
        default:
            position -= 1
            throw failure("\(nextInWords) is no escape of JSON")
        }
    }

    private mutating func parseUnicodeEscape() throws(JSONError) -> [UInt8] {
        let start = position
        var code = try parseHexDigits()
        if (0xD800..<0xDC00).contains(code), peek == UInt8(ascii: "\\"),
            position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            let low = try parseHexDigits()
            guard (0xDC00..<0xE000).contains(low) else {
                position = start
                throw failure("half of a surrogate pair")
            }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            position = start
            throw failure("half of a surrogate pair")
        }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func parseHexDigits() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue
            else {
                throw failure("four hex digits are expected, not \(nextInWords)")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
        } else {
            try skipDigits()
        }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try skipDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            position = start
            throw failure("the number is too large")
        }
        return .double(value)
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        guard position > start else { throw failure("a digit is expected, not \(nextInWords)") }
    }
}
