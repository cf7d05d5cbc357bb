import CLinux
import Glibc

/// A program of the PATH that a test may run.
struct Tool {
    let path: String

    /// nil, and one printed line, when there is no such program: its tests are skipped.
    init?(_ name: String) {
        let folders = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        guard let folder = folders.first(where: { access("\($0)/\(name)", X_OK) == 0 }) else {
            print("skipped: \(name) is not on the PATH")
            return nil
        }
        path = "\(folder)/\(name)"
    }

    /// A run that has been started; it is ended by `wait` or `stop`.
    struct Run {
        let process: pid_t
        let output: String

        /// Blocks until it ends, at most that long (then it is killed). The exit code, or -1; and
        /// its output.
        func wait(seconds: Int) -> (code: Int32, text: String) {
            let ended = clinux_pidfd_open(process)
            defer { close(ended) }
            var wait = pollfd(fd: ended, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, Int32(seconds * 1_000)) == 1 else {
                stop()
                return (-1, "not done in \(seconds) s\n\(text)")
            }
            var status: Int32 = 0
            waitpid(process, &status, 0)
            return (status & 0x7F == 0 ? (status >> 8) & 0xFF : -1, text)
        }

        func stop() {
            kill(process, SIGKILL)
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }

        private var text: String {
            guard let file = fopen(output, "r") else { return "" }
            defer {
                fclose(file)
                unlink(output)
            }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = fread(&bytes, 1, bytes.count, file)
            return String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    /// Starts it with its output in a file.
    func start(_ arguments: [String]) -> Run {
        let output = "/tmp/millrace-tool-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).out"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer {
            for word in words { free(word) }
            posix_spawn_file_actions_destroy(&actions)
        }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, nil, &words, environ)
        precondition(code == 0, "\(path): \(String(cString: strerror(code)))")
        return Run(process: process, output: output)
    }
}
