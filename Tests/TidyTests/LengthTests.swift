import Testing

/// Lengths of lines, functions and files. What is over today is listed in Exceptions.
@Suite struct LengthTests {
    static let columns = 100
    static let functionLines = 70
    static let fileLines = 400

    @Test func linesAreAtMostAHundredColumns() throws {
        var found: [String: Int] = [:]
        for file in SourceTree.files {
            let count = file.lines.count { $0.count > Self.columns }
            if count > 0 { found[file.path] = count }
        }
        try Ratchet(name: "long-lines", rule: "have at most \(Self.columns) columns").check(found)
    }

    @Test func filesAreAboutOneThing() throws {
        var found: [String: Int] = [:]
        // A list of names, not code.
        let data = "Sources/MillraceBase/Conf/SparkKeys.swift"
        for file in SourceTree.files where file.lines.count > Self.fileLines && file.path != data {
            found[file.path] = file.lines.count
        }
        try Ratchet(name: "long-files", rule: "have at most \(Self.fileLines) lines").check(found)
    }

    @Test func functionsFitOnAScreen() throws {
        var found: [String: Int] = [:]
        for file in SourceTree.files {
            for function in Self.functions(in: file.lines)
            where function.length > Self.functionLines {
                found["\(file.path) \(function.name)"] = function.length
            }
        }
        try Ratchet(name: "long-functions", rule: "have at most \(Self.functionLines) lines")
            .check(found)
    }

    /// Functions and initialisers with their lines from the declaration to the closing brace,
    /// which formatted code has at the declaration's indentation.
    static func functions(in lines: [Substring]) -> [(name: String, length: Int)] {
        var found: [(name: String, length: Int)] = []
        for (start, line) in lines.enumerated() {
            let indentation = line.prefix { $0 == " " }
            let code = line.dropFirst(indentation.count)
            guard !code.hasPrefix("//"), let name = functionName(code) else { continue }
            let closing = indentation + "}"
            for end in start..<lines.count {
                let next = lines[end]
                if end == start, next.hasSuffix("}") { break }
                if end > start, next.hasPrefix(closing) {
                    found.append((name, end - start + 1))
                    break
                }
                // A requirement of a protocol has no body: the next thing begins.
                let isSibling =
                    end > start && next.hasPrefix(indentation)
                    && next.dropFirst(indentation.count).first.map { $0.isLetter || $0 == "@" }
                        ?? false
                if isSibling { break }
            }
        }
        return found
    }

    private static func functionName(_ code: Substring) -> String? {
        let words = code.split(separator: " ")
        for (index, word) in words.enumerated() {
            if word == "func", index + 1 < words.count {
                return String(words[index + 1].prefix { $0 != "(" && $0 != "<" })
            }
            if word.hasPrefix("init(") || word.hasPrefix("init?(") || word.hasPrefix("init<") {
                return "init"
            }
            let isModifier = word.allSatisfy { $0.isLetter } || word.hasPrefix("@")
            let isScoped = word.hasSuffix(")") && !word.hasPrefix("(")
            guard isModifier || isScoped else { return nil }
        }
        return nil
    }

    @Test func measuresFunctions() {
        let text = """
            struct S {
                public init(
                    a: Int
                ) {
                    x()
                }
                func one() { y() }
                @inlinable static func two<T>(_ t: T) {
                    if t { z() }

                    z()
                }
                func required() -> Int
                var v: Int {
                    3
                }
            }
            """
        let found = Self.functions(
            in: text.split(separator: "\n", omittingEmptySubsequences: false))
        #expect(found.map(\.name) == ["init", "two"])
        #expect(found.map(\.length) == [5, 5])
    }
}
