import Glibc
import MillraceBase
import MillraceDriver

/// Finds and starts the other programs of this build, which lie beside this one.
struct Programs {
    let folder: String

    init() throws {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw MillraceError(.system, "/proc/self/exe cannot be read") }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        folder = path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func start(_ name: String, _ arguments: [String], output: String?) throws -> ChildProcess {
        try ChildProcess(
            path: path(name), arguments: arguments, environment: Self.environment, output: output)
    }

    /// Runs a program that ends by itself; its output is appended to `output`. Throws when it fails
    /// or takes too long.
    static func run(
        _ path: String, _ arguments: [String], output: String,
        within limit: Duration = .seconds(120)
    ) throws {
        let child = try ChildProcess(
            path: path, arguments: arguments, environment: environment, output: output)
        guard let ending = wait(for: child, within: limit) else {
            throw MillraceError(
                .deadlineExceeded, "\(path) did not end within \(limit); see \(output)")
        }
        guard ending == .exited(0) else {
            throw MillraceError(.unavailable, "\(path) \(ending); see \(output)")
        }
    }

    /// How the child ended, or nil when it still runs after `limit`.
    static func wait(for child: ChildProcess, within limit: Duration) -> ChildProcess.Ending? {
        var poller = pollfd(fd: child.pidfd, events: Int16(POLLIN), revents: 0)
        _ = poll(&poller, 1, Int32(clamping: limit.nanoseconds / 1_000_000))
        return child.reap()
    }

    private static var environment: [String] {
        var entries: [String] = []
        var cursor = environ
        while let entry = cursor.pointee {
            entries.append(String(cString: entry))
            cursor += 1
        }
        return entries
    }
}
