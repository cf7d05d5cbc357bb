import Glibc
import SwiftOverlayShims  // `timespec` counts as its member in release builds of this module

/// The log's touches of the operating system: the wall clock, one environment variable, and
/// `write(2)`. They live here rather than behind a hook that each program must fill, because a
/// process that fails before it has set anything up must still be able to say why. (TidyTests keeps
/// a short list of the files in MillraceBase that import Glibc.)
extension Log {
    static func wallClockMilliseconds() -> Int64 {
        // As two words, {seconds, nanoseconds}: in an optimised build of this module the compiler
        // takes timespec's members for those of a module of its own that cannot be imported.
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { words in
            let memory = UnsafeMutableRawPointer(words.baseAddress!)
            clock_gettime(CLOCK_REALTIME, memory.assumingMemoryBound(to: timespec.self))
            return Int64(words[0]) * 1_000 + Int64(words[1]) / 1_000_000
        }
    }

    static func thresholdFromEnvironment() -> LogLevel {
        guard let value = getenv("MILLRACE_LOG_LEVEL") else { return .warn }
        return LogLevel(name: String(cString: value)) ?? .warn
    }
}

/// What programs say to people beside their output: messages, usage, tables that refresh.
public enum StandardError {
    /// One line, whatever the text contains: control characters become spaces.
    public static func line(_ text: String) {
        var bytes = text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        bytes.append(0x0A)
        write(bytes)
    }

    /// One call for the whole of it, so that the lines of several threads and processes on one
    /// stderr do not mix. What a full or closed stderr refuses is lost: saying something never
    /// fails.
    public static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress
                let written = Glibc.write(STDERR_FILENO, start, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }
}
