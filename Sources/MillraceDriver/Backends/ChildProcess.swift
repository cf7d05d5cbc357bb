import CLinux
import Glibc
import MillraceBase

/// A child of this process: started with its own arguments, environment and output file, watched
/// through a pidfd.
///
/// Belongs to the loop that started it. `pidfd` becomes readable when the child has ended; then
/// `reap()` says how.
public final class ChildProcess {
    /// How a child ended. A shell would say 128 + the signal.
    public enum Ending: Hashable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)
        public var description: String {
            switch self {
            case .exited(let code):
                "exited with code \(code)" + (ExitCode.meaning(code).map { " (\($0))" } ?? "")
            case .signalled(let signal): "was ended by signal \(signal)"
            }
        }
    }

    public let processID: pid_t
    public let pidfd: Int32
    private var isReaped = false

    /// Starts `path`. Standard output and error go to `output` (appended); when it is nil, to this
    /// process's standard error, so that what a child prints does not mix with what the program
    /// prints.
    public init(
        path: String, arguments: [String], environment: [String], output: String?
    ) throws(MillraceError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        if let output {
            posix_spawn_file_actions_addopen(
                &actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 2, 1)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The loop blocks signals that it takes through a signalfd; a child must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var process: pid_t = 0
        let code = withCStrings([path] + arguments) { argv in
            withCStrings(environment) { envp in
                posix_spawn(&process, path, &actions, &attributes, argv, envp)
            }
        }
        guard code == 0 else {
            throw MillraceError(.system, "cannot start \(path): \(String(cString: strerror(code)))")
        }
        processID = process
        pidfd = clinux_pidfd_open(process)
        guard pidfd >= 0 else {
            let reason = String(cString: strerror(errno))
            Glibc.kill(process, SIGKILL)
            waitpid(process, nil, 0)
            throw MillraceError(.system, "cannot watch process \(process): \(reason)")
        }
    }

    deinit {
        close(pidfd)
        if !isReaped {
            Glibc.kill(processID, SIGKILL)
            waitpid(processID, nil, 0)
        }
    }

    public func signal(_ signal: Int32) {
        if !isReaped { Glibc.kill(processID, signal) }
    }

    /// How the child ended, or nil while it runs. Never blocks.
    public func reap() -> Ending? {
        var status: Int32 = 0
        guard !isReaped, waitpid(processID, &status, WNOHANG) == processID else { return nil }
        isReaped = true
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
}
