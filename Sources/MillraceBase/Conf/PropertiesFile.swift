/// Reads and writes properties files, the format of `spark-defaults.conf`.
///
/// A line is a key, then `=`, `:` or white space, then a value; blank lines and lines that begin
/// with `#` or `!` are comments; a backslash at a line's end continues it; `\t \n \r \f \\ \uXXXX`
/// stand for what they do in Java. Unlike there, a key without a value and a broken escape are
/// errors, said with their line.
public enum PropertiesFile {
    /// The settings in the order of the file, each knowing its line; `path` is for messages.
    public static func parse(_ text: String, path: String) throws(ConfError) -> [ConfSetting] {
        try parse(text) { .file(path, line: $0) }
    }

    static func parse(
        _ text: String, source: (Int) -> ConfSource
    ) throws(ConfError) -> [ConfSetting] {
        var settings: [ConfSetting] = []
        for (number, line) in logicalLines(text) {
            let place = source(number)
            guard let (rawKey, rawValue) = split(line) else {
                throw ConfError(
                    key: String(decoding: line.prefix(60), as: UTF8.self), value: "",
                    reason: "has no value; a line is `key value` or `key=value`", source: place)
            }
            guard let key = unescape(rawKey), let value = unescape(rawValue) else {
                throw ConfError(
                    key: "", value: "", reason: "a \\u is not followed by four hexadecimal digits",
                    source: place)
            }
            settings.append(ConfSetting(key, value.trimmingConfWhitespace(), from: place))
        }
        return settings
    }

    /// Text that `parse` reads back as these settings.
    public static func text(_ settings: [(key: String, value: String)]) -> String {
        var out = ""
        for (key, value) in settings {
            out += escape(key, isKey: true) + "=" + escape(value, isKey: false) + "\n"
        }
        return out
    }

    /// Lines without comments and blank ones, continuations joined, with their first line number.
    private static func logicalLines(_ text: String) -> [(Int, [UInt8])] {
        var result: [(Int, [UInt8])] = []
        var pending: (number: Int, line: [UInt8])?
        var number = 0
        for piece in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            var line = Array(piece.drop { isBlank($0) })
            if line.last == 0x0D { line.removeLast() }
            if pending == nil, line.isEmpty || line[0] == 0x23 || line[0] == 0x21 { continue }
            let backslashes = line.reversed().prefix { $0 == 0x5C }.count
            let isContinued = backslashes % 2 == 1
            if isContinued { line.removeLast() }
            pending = (pending?.number ?? number, (pending?.line ?? []) + line)
            if !isContinued, let whole = pending {
                result.append(whole)
                pending = nil
            }
        }
        if let pending, !pending.line.isEmpty { result.append(pending) }
        return result
    }

    /// At the first `=`, `:` or white space that no backslash precedes; around it, white space
    /// does not count.
    private static func split(_ line: [UInt8]) -> ([UInt8], [UInt8])? {
        var end = 0
        while end < line.count {
            if line[end] == 0x5C {
                end += 2
                continue
            }
            if isBlank(line[end]) || line[end] == 0x3D || line[end] == 0x3A { break }
            end += 1
        }
        guard end > 0, end < line.count else { return nil }
        var start = end
        while start < line.count, isBlank(line[start]) { start += 1 }
        if start == line.count { return nil }
        if line[start] == 0x3D || line[start] == 0x3A { start += 1 }
        while start < line.count, isBlank(line[start]) { start += 1 }
        return (Array(line[..<end]), Array(line[start...]))
    }

    private static func unescape(_ bytes: [UInt8]) -> String? {
        var units: [UInt16] = []
        var out = ""
        var plain: [UInt8] = []
        func flush() {
            out += String(decoding: plain, as: UTF8.self)
            out += String(decoding: units, as: UTF16.self)
            plain.removeAll()
            units.removeAll()
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == 0x5C, index < bytes.count else {
                if !units.isEmpty { flush() }
                plain.append(byte)
                continue
            }
            let escaped = bytes[index]
            index += 1
            if escaped == UInt8(ascii: "u") {
                guard index + 4 <= bytes.count,
                    let digits = String(validating: bytes[index..<(index + 4)], as: UTF8.self),
                    digits.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                    let unit = UInt16(digits, radix: 16)
                else { return nil }
                if !plain.isEmpty { flush() }
                units.append(unit)
                index += 4
            } else {
                if !units.isEmpty { flush() }
                plain.append(controls[escaped] ?? escaped)
            }
        }
        flush()
        return out
    }

    private static let controls: [UInt8: UInt8] = [
        UInt8(ascii: "t"): 0x09, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D,
        UInt8(ascii: "f"): 0x0C,
    ]

    private static func escape(_ text: String, isKey: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{0C}": out += "\\f"
            case " ", "=", ":", "#", "!":
                if isKey { out += "\\" }
                out.unicodeScalars.append(scalar)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0C
    }
}
