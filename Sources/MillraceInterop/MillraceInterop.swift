import Glibc
import MillraceBase
import MillraceNet

/// `millrace-interop`: gRPC's official interoperability service and its cases, on Millrace's own
/// gRPC, so that both can be held against implementations that nobody here wrote.
@main struct MillraceInterop {
    static func main() {
        do {
            let arguments = try InteropArguments(Array(CommandLine.arguments.dropFirst()))
            switch arguments.command {
            case .help: say(InteropArguments.help)
            case .server: exit(InteropProgram.serve(arguments))
            case .client: exit(InteropProgram.runCase(arguments))
            case .benchmark: try Benchmark.run(seconds: arguments.count)
            }
        } catch let error as UsageError {
            complain("\(error.message) (see millrace-interop --help)")
            exit(2)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }
}

/// A command line that cannot be right, in one line.
struct UsageError: Error {
    var message: String
}

/// One line to stdout, at once.
func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = Glibc.write(STDOUT_FILENO, bytes, bytes.count)
}

/// One line to stderr, named after the program.
func complain(_ line: String) {
    let bytes = Array("millrace-interop: \(line)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
}
