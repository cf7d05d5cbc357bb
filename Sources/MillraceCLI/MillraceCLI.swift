import Glibc
import MillraceBase

/// `millrace COMMAND [arguments]`: finds the command, runs it, and turns what it throws into one
/// line on stderr and an exit code.
@main struct MillraceCLI {
    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    static let commands: [any Command.Type] = [
        SubmitCommand.self, ConfCommand.self, ShuffleServiceCommand.self,
        KafkaDevCommand.self, KafkaProduceCommand.self,
        VersionCommand.self, HelpCommand.self,
    ]

    static func run(_ arguments: [String]) -> Int32 {
        guard let name = arguments.first else {
            complain("no command; `millrace help` lists them")
            return ExitCode.misuse
        }
        let spelled = ["--help": "help", "-h": "help", "--version": "version"][name] ?? name
        guard let command = commands.first(where: { $0.name == spelled }) else {
            let nearest = EditDistance.nearest(to: name, among: commands.map { $0.name })
            let hint = nearest.map { "did you mean \($0)?" } ?? "`millrace help` lists them"
            complain("'\(name.prefix(100))' is not a command; \(hint)")
            return ExitCode.misuse
        }
        do throws(UsageError) {
            return try command.run(Array(arguments.dropFirst()))
        } catch {
            complain("\(command.name): \(error.message); see millrace \(command.name) --help")
            return ExitCode.misuse
        }
    }

    /// One line on stderr, whatever the message contains.
    static func complain(_ message: String) {
        StandardError.line("millrace: \(message)")
    }
}

/// One command of the program.
protocol Command: Sendable {
    static var name: String { get }
    /// One line for the list of commands.
    static var summary: String { get }
    /// What `--help` prints.
    static var help: String { get }
    /// The exit code; throws when the arguments (without the command's name) make no sense.
    static func run(_ arguments: [String]) throws(UsageError) -> Int32
}

extension Command {
    /// Prints the help, if that is what the arguments ask for.
    static func isAskedForHelp(_ arguments: [String]) -> Bool {
        guard arguments.first == "--help" || arguments.first == "-h" else { return false }
        print(help)
        return true
    }
}
