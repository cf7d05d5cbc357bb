import Glibc
import MillraceBase

/// What an executor wrote about its memory before it was killed (`ExecutorLaunch.lastWillPath`).
enum LastWords {
    /// Longer than any line an executor writes.
    private static let limit = 4096

    /// "its process was ended by signal 9; 0.4 s before: resident 498.2 MiB of …". The words are
    /// added only where somebody killed it: by a signal that cannot be caught, or as a shell or
    /// container reports that.
    static func reason(_ ending: ChildProcess.Ending, willPath: String) -> String {
        let reason = "its process \(ending)"
        switch ending {
        case .signalled(SIGKILL), .exited(128 + SIGKILL): break
        default: return reason
        }
        guard let (line, age) = read(willPath) else { return reason }
        let tenths = age / 100
        return """
            \(reason), by somebody or by the kernel for want of memory; \
            \(tenths / 10).\(tenths % 10) s before: \(line)
            """
    }

    /// The line, and its age in milliseconds.
    private static func read(_ path: String) -> (line: String, age: Int)? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        var now = timespec()
        guard fstat(file, &status) == 0, clock_gettime(CLOCK_REALTIME, &now) == 0 else {
            return nil
        }
        let text = withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { buffer in
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        }
        guard let line = text.split(separator: "\n").first else { return nil }
        let age =
            (now.tv_sec - status.st_mtim.tv_sec) * 1000
            + (now.tv_nsec - status.st_mtim.tv_nsec) / 1_000_000
        return (String(line), max(0, age))
    }
}
