import CLinux
import Glibc
import MillraceBase
import MillraceExecutor
import Synchronization

/// A program that runs on Millrace. The one binary is driver and executor:
///
///     @main struct WordCount: MillraceApp {
///         static func run(_ session: MillraceSession, _ arguments: [String]) async throws { … }
///     }
///
/// Started by a person or by `millrace submit` it is the driver and calls `run`; started by a
/// driver it is an executor, and `run` is never called. Exit codes are Spark's: 0 when `run`
/// returns, 1 when it throws, 2 for settings or arguments that cannot be right
/// (`MillraceError.invalidArgument`), 11 after too many executor failures, 128 + n after signal n.
public protocol MillraceApp: SendableMetatype {
    static func run(_ session: MillraceSession, _ arguments: [String]) async throws
    /// What the program sets itself. As in Spark it wins over what the launcher was given.
    static var settings: [String: String] { get }
}

extension MillraceApp {
    public static var settings: [String: String] { [:] }

    public static func main() {
        runApplication(settings: settings, Array(CommandLine.arguments.dropFirst()))
    }

    /// What `main` does, for a program that looks at its arguments first. Never returns in an
    /// executor either.
    public static func runApplication(settings: [String: String], _ arguments: [String]) -> Never {
        if let code = ExecutorProcess.runIfAsked() { exit(code) }
        ApplicationProcess.run(settings: settings) { session in try await run(session, arguments) }
    }
}

/// The driver's side of a program's life: settings, session, signals, exit code.
enum ApplicationProcess {
    /// How long a stop on request may take before the process ends all the same.
    private static let stopDeadline = Duration.seconds(15)

    static func run(
        settings: [String: String],
        _ body: @escaping @Sendable (MillraceSession) async throws -> Void
    ) -> Never {
        // Threads inherit the mask, so it is set before there are any; `sigwait` below takes the
        // signals.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)

        let conf = settled(settings)
        let holder = SessionHolder()
        Task.detached {
            do {
                let session = try await MillraceSession.start(conf)
                holder.session.withLock { $0 = session }
                do { try await body(session) } catch {
                    await session.stop()
                    throw error
                }
                await session.stop()
                exit(holder.signalled ?? ExitCode.success)
            } catch {
                // What a signal breaks off is no failure of the program.
                exit(holder.signalled ?? report(error))
            }
        }
        var received: Int32 = 0
        sigwait(&signals, &received)
        stop(holder, received)
    }

    /// Ends on a signal: queries and executors first, the process at the latest after
    /// `stopDeadline`.
    private static func stop(_ holder: SessionHolder, _ signal: Int32) -> Never {
        Log.info("driver", "stopping on a signal", ["signal": signal])
        alarm(UInt32(stopDeadline.components.seconds))
        let code = 128 + signal
        holder.code.withLock { $0 = code }
        Task.detached {
            await holder.session.withLock { $0 }?.stop()
            exit(code)
        }
        while true { pause() }
    }

    private static func settled(_ settings: [String: String]) -> Conf {
        do {
            let own = settings.sorted { $0.key < $1.key }.map { ConfSetting($0.key, $0.value) }
            let conf = try LaunchEnvironment.conf(adding: own)
            Log.configure(level: conf.log.level, format: conf.log.format)
            if let warning = conf.warning { Log.warn("conf", warning) }
            return conf
        } catch {
            complain("\(error)")
            exit(2)
        }
    }

    /// One line on standard error; the exit code that goes with the error.
    private static func report(_ error: any Error) -> Int32 {
        complain("\(error)")
        guard let error = error as? MillraceError else {
            return error is ConfError ? ExitCode.misuse : ExitCode.failure
        }
        if error.code == .invalidArgument { return ExitCode.misuse }
        // A query's error has it as its cause.
        var cause: MillraceError? = error
        while let current = cause {
            if current.code == .tooManyExecutorFailures { return ExitCode.tooManyExecutorFailures }
            cause = current.cause as? MillraceError
        }
        return ExitCode.failure
    }

    private static func complain(_ message: String) {
        let name =
            CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "millrace"
        let line = "\(name): \(message)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}

private final class SessionHolder: Sendable {
    let session = Mutex<MillraceSession?>(nil)
    /// Set when a signal ends the program.
    let code = Mutex<Int32?>(nil)
    var signalled: Int32? { code.withLock { $0 } }
}
