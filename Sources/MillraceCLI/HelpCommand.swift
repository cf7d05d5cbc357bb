import MillraceBase

/// `millrace help [COMMAND]`.
enum HelpCommand: Command {
    static let name = "help"
    static let summary = "lists the commands; help COMMAND explains one"
    static let help = "usage: millrace help [COMMAND]"

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        if isAskedForHelp(arguments) { return ExitCode.success }
        guard arguments.count <= 1 else { throw UsageError("takes one command") }
        if let name = arguments.first {
            guard let command = MillraceCLI.commands.first(where: { $0.name == name }) else {
                throw UsageError("'\(name.prefix(100))' is not a command")
            }
            return try command.run(["--help"])
        }
        print("usage: millrace COMMAND [arguments]\n")
        let width = MillraceCLI.commands.map { $0.name.count }.max() ?? 0
        for command in MillraceCLI.commands {
            let padding = String(repeating: " ", count: width - command.name.count)
            print("  \(command.name)\(padding)  \(command.summary)")
        }
        print("\nEvery command explains itself: millrace COMMAND --help")
        return ExitCode.success
    }
}
