/// What is wrong with a command line, in one line, without the program's name. Programs print it
/// to stderr and exit with `ExitCode.misuse`.
public struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// Reads a command line: flags (`--name value` or `--name=value`), then the rest.
///
///     var reader = ArgumentReader(arguments, flags: ["--port", "--help"])
///     while let flag = try reader.nextFlag() {
///         switch flag {
///         case "--port": port = try reader.integer(in: 1...65_535)
///         default: throw reader.unexpected()
///         }
///     }
///     let files = reader.rest
///
/// The first argument that is not a flag ends the flags, and so does `--`, which is dropped. A flag
/// that is not among `flags` is an error that names the nearest one.
public struct ArgumentReader {
    /// What was not read yet: after the last flag, the positional arguments.
    public private(set) var rest: [String]
    private let flags: [String]
    private var flag = ""
    private var inlineValue: String?

    /// `arguments` without the program's name.
    public init(_ arguments: [String], flags: [String]) {
        rest = arguments
        self.flags = flags
    }

    /// The next flag, nil when the rest is positional.
    public mutating func nextFlag() throws(UsageError) -> String? {
        if let value = inlineValue {
            throw UsageError("\(flag) takes no value, got \(quote(value))")
        }
        guard let argument = rest.first, argument.hasPrefix("-"), argument != "-" else {
            return nil
        }
        rest.removeFirst()
        if argument == "--" { return nil }
        flag = argument
        if let equals = argument.firstIndex(of: "="), argument.hasPrefix("--") {
            flag = String(argument[..<equals])
            inlineValue = String(argument[argument.index(after: equals)...])
        }
        guard flags.contains(flag) else { throw unexpected() }
        return flag
    }

    /// The value of the flag just read.
    public mutating func value() throws(UsageError) -> String {
        if let value = inlineValue {
            inlineValue = nil
            return value
        }
        guard !rest.isEmpty else { throw UsageError("\(flag) needs a value") }
        return rest.removeFirst()
    }

    /// The value of the flag just read, as an integer of that range.
    public mutating func integer(in range: ClosedRange<Int>) throws(UsageError) -> Int {
        let text = try value()
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "\(flag) needs an integer from \(range.lowerBound) to \(range.upperBound), "
                    + "got \(quote(text))")
        }
        return number
    }

    /// The error for a flag that has no place here.
    public func unexpected() -> UsageError {
        let nearest = EditDistance.nearest(to: flag, among: flags)
        return UsageError(
            "unknown flag \(quote(flag))" + (nearest.map { "; did you mean \($0)?" } ?? ""))
    }

    /// Arguments in messages: quoted, on one line, cut.
    private func quote(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(100).map { $0.value < 0x20 ? " " : String($0) }
        return "'" + shown.joined() + (text.unicodeScalars.count > 100 ? "..." : "") + "'"
    }
}
