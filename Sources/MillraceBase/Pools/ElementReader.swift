/// Reads the elements of a small XML document: names, attributes, text. Strict, and no more than
/// that: no namespaces, entities beyond the five of XML, document types or processing instructions
/// after the first line.
struct ElementReader {
    struct Problem: Error {
        var line: Int
        var reason: String
    }

    enum Token {
        case open(name: String, attributes: [(name: String, value: String)], isEmpty: Bool)
        case close(name: String)
        /// Without the white space around it; never empty.
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// `nil` at the end.
    mutating func next() throws(Problem) -> Token? {
        while position < bytes.count {
            if takes("<!--") {
                try skip(to: "-->", of: "a comment")
            } else if takes("<?") {
                try skip(to: "?>", of: "a declaration")
            } else if takes("</") {
                let name = try name()
                skipBlanks()
                try expect(">", after: "</\(name)")
                return .close(name: name)
            } else if takes("<") {
                return try open()
            } else if let text = try text() {
                return .text(text)
            }
        }
        return nil
    }

    private mutating func open() throws(Problem) -> Token {
        let name = try name()
        var attributes: [(name: String, value: String)] = []
        while true {
            skipBlanks()
            if takes("/>") { return .open(name: name, attributes: attributes, isEmpty: true) }
            if takes(">") { return .open(name: name, attributes: attributes, isEmpty: false) }
            let attribute = try self.name()
            skipBlanks()
            try expect("=", after: attribute)
            skipBlanks()
            let quote: UInt8 = takes("\"") ? 0x22 : 0x27
            if quote == 0x27 { try expect("'", after: "\(attribute)=") }
            let start = position
            while position < bytes.count, bytes[position] != quote { advance() }
            let value = try decoded(bytes[start..<position])
            try expect(quote == 0x22 ? "\"" : "'", after: "the value of \(attribute)")
            attributes.append((attribute, value))
        }
    }

    private mutating func name() throws(Problem) -> String {
        let start = position
        while position < bytes.count, Self.isNamePart(bytes[position]) { advance() }
        guard start < position else { throw problem("a name is missing") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: ":"), 0x80...0xFF:
            true
        default: false
        }
    }

    private mutating func text() throws(Problem) -> String? {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") { advance() }
        let text = try decoded(bytes[start..<position]).trimmingConfWhitespace()
        return text.isEmpty ? nil : text
    }

    private static let entities: [(name: String, value: String)] = [
        ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&"),
    ]

    private func decoded(_ raw: ArraySlice<UInt8>) throws(Problem) -> String {
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw problem("the text is not UTF-8")
        }
        var result = ""
        var rest = text[...]
        while let ampersand = rest.firstIndex(of: "&") {
            result += rest[..<ampersand]
            rest = rest[ampersand...]
            guard let entity = Self.entities.first(where: { rest.hasPrefix($0.name) }) else {
                throw problem("& is no known entity; write &amp;")
            }
            result += entity.value
            rest = rest.dropFirst(entity.name.count)
        }
        return result + rest
    }

    // MARK: Bytes

    private mutating func advance() {
        if bytes[position] == 0x0A { line += 1 }
        position += 1
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
            advance()
        }
    }

    private mutating func takes(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func expect(_ text: String, after what: String) throws(Problem) {
        guard takes(text) else { throw problem("\(text) is missing after \(what)") }
    }

    private mutating func skip(to end: String, of what: String) throws(Problem) {
        let first = line
        while position < bytes.count {
            if takes(end) { return }
            advance()
        }
        throw Problem(line: first, reason: "\(what) has no end")
    }

    private func problem(_ reason: String) -> Problem { Problem(line: line, reason: reason) }
}
