import MillraceBase

/// `NAME [--option value]… [--json]` of one run of a benchmark. Options may also be written
/// `key=value`, as the peers'.
struct Options {
    /// Options without a value.
    private static let flags = ["--no-groups"]

    var bench: String
    var values: [String: String] = [:]

    /// Throws a `MillraceError` for what is no option.
    init(_ arguments: [String]) throws {
        guard let name = arguments.first, !name.hasPrefix("-") else {
            throw MillraceError(.invalidArgument, "name a benchmark; see --help")
        }
        bench = name
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            if argument == "--json" { continue }
            if Self.flags.contains(argument) {
                values[String(argument.dropFirst(2))] = "1"
                continue
            }
            if argument.hasPrefix("--") {
                guard let value = rest.popFirst() else {
                    throw MillraceError(.invalidArgument, "\(argument) needs a value")
                }
                values[String(argument.dropFirst(2))] = value
            } else if let equals = argument.firstIndex(of: "=") {
                values[String(argument[..<equals])] = String(
                    argument[argument.index(after: equals)...])
            } else {
                throw MillraceError(
                    .invalidArgument, "\(argument) is no option; write --name value")
            }
        }
    }

    func string(_ name: String, _ otherwise: String) -> String { values[name] ?? otherwise }

    func int(_ name: String, _ otherwise: Int) throws -> Int {
        guard let text = values[name] else { return otherwise }
        guard let value = Int(text), value >= 0 else {
            throw MillraceError(.invalidArgument, "--\(name) \(text) is not a number from 0")
        }
        return value
    }

    /// Several, separated by commas.
    func numbers(_ name: String, _ otherwise: [Int]) throws -> [Int] {
        guard let text = values[name] else { return otherwise }
        let numbers = text.split(separator: ",").compactMap { Int($0) }.filter { $0 > 0 }
        guard !numbers.isEmpty, numbers.count == text.split(separator: ",").count else {
            throw MillraceError(
                .invalidArgument, "--\(name) \(text) is not a list of numbers from 1")
        }
        return numbers
    }

    func flag(_ name: String, _ otherwise: Bool) throws -> Bool {
        try int(name, otherwise ? 1 : 0) > 0
    }

    /// An option that this benchmark does not have is a mistake, not a wish.
    func expectOnly(_ names: String...) throws {
        let known = Set(names + ["master", "label"])
        for name in values.keys.sorted() where !known.contains(name) {
            throw MillraceError(
                .invalidArgument,
                "\(bench) has no option --\(name); it has "
                    + known.sorted().map { "--" + $0 }.joined(separator: " ")
            )
        }
    }
}
