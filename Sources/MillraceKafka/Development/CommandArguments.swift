/// `--name value`, `--name=value` and `--flag`, checked against what a command takes.
struct CommandArguments {
    /// Why the arguments cannot be right, in one line.
    struct Failure: Error {
        var message: String
    }

    private(set) var values: [String: [String]] = [:]
    private(set) var flags: Set<String> = []

    init(
        _ arguments: [String], options: [String], flags known: [String]
    ) throws(Failure) {
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if known.contains(argument) {
                flags.insert(argument)
                continue
            }
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard options.contains(name) else {
                throw Failure(message: "unknown argument '\(argument)'; see --help")
            }
            if parts.count == 2 {
                values[name, default: []].append(String(parts[1]))
            } else if index < arguments.count {
                values[name, default: []].append(arguments[index])
                index += 1
            } else {
                throw Failure(message: "\(name) needs a value; see --help")
            }
        }
    }

    /// The last value of an option that may be given once.
    func value(_ name: String) -> String? { values[name]?.last }

    func required(_ name: String) throws(Failure) -> String {
        guard let value = value(name), !value.isEmpty else {
            throw Failure(message: "\(name) is missing; see --help")
        }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Failure(
                message:
                    "\(name) is '\(text)'; it takes a number from \(range.lowerBound) to "
                    + "\(range.upperBound)"
            )
        }
        return number
    }
}
