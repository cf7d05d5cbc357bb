import Glibc
import MillraceBase

/// The main job, end to end, with faults: a Kafka cluster, a producer of real text, a streaming
/// word count on a driver and two executor processes of which one and then the driver are killed,
/// and a comparison with an independent count.
///
/// `deploy/demo.sh` builds and starts it.
@main enum MillraceDemo {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") || arguments.contains("-h") {
            write(DemoOptions.help, to: STDOUT_FILENO)
            exit(0)
        }
        signal(SIGPIPE, SIG_IGN)
        do {
            let options = try DemoOptions(arguments)
            let run = try DemoRun(options)
            let isExact = try run.run()
            exit(isExact ? 0 : 1)
        } catch {
            write("millrace-demo: \(error)\n", to: STDERR_FILENO)
            exit((error as? MillraceError)?.code == .invalidArgument ? 2 : 1)
        }
    }
}

/// One `write` for the whole text.
func write(_ text: String, to file: Int32) {
    _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
}

/// A line of the demo's own story.
func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
