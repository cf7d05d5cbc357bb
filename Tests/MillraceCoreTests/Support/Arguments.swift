/// A command's words: `name word word key=value`.
struct Arguments {
    var name: String
    var words: [String] = []
    var options: [(String, String)] = []

    init(_ parts: [String]) {
        name = parts.first ?? ""
        for part in parts.dropFirst() {
            if let equals = part.firstIndex(of: "=") {
                options.append(
                    (String(part[..<equals]), String(part[part.index(after: equals)...])))
            } else {
                words.append(part)
            }
        }
    }

    subscript(key: String) -> String? { options.first { $0.0 == key }?.1 }

    /// With only the first word.
    var first: Arguments {
        var copy = self
        copy.words = Array(words.prefix(1))
        return copy
    }

    func number(_ position: Int) throws -> Int {
        guard position < words.count else {
            throw ScriptRunner.Problem(description: "\(name) needs a number")
        }
        return try integer(of: words[position])
    }

    func integer(of word: String) throws -> Int {
        guard let value = Int(word) else {
            throw ScriptRunner.Problem(description: "\(word) is no number")
        }
        return value
    }

    func integer(_ key: String) throws -> Int? { try self[key].map(integer(of:)) }
    func list(_ key: String) throws -> [Int]? {
        try self[key]?.split(separator: ",").map { try integer(of: String($0)) }
    }

    func duration(_ word: String) throws -> Duration {
        if word.hasSuffix("us") { return .microseconds(try integer(of: String(word.dropLast(2)))) }
        if word.hasSuffix("ms") { return .milliseconds(try integer(of: String(word.dropLast(2)))) }
        guard word.hasSuffix("s") else {
            throw ScriptRunner.Problem(description: "\(word) is no duration")
        }
        return .seconds(try integer(of: String(word.dropLast(1))))
    }
}
