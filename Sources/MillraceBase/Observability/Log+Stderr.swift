import Glibc

/// The log's three touches of the operating system, and the only ones of this module: the wall
/// clock, one environment variable, and `write(2)`. They live here rather than behind a hook that
/// each program must fill, because a process that fails before it has set anything up must still
/// be able to say why. (TidyTests keeps this file the one place in MillraceBase that imports Glibc.)
extension Log {
    static func wallClockMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    static func thresholdFromEnvironment() -> LogLevel {
        guard let value = getenv("MILLRACE_LOG_LEVEL") else { return .warn }
        return LogLevel(name: String(cString: value)) ?? .warn
    }

    /// One call for the whole line, so that the lines of several threads and processes on one
    /// stderr do not mix. What a full or closed stderr refuses is lost: logging never fails.
    static func writeToStandardError(_ line: [UInt8]) {
        line.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }
}
