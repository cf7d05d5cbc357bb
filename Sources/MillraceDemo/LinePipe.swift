import Glibc
import MillraceBase

/// A named pipe that takes what one or several processes print, as lines. It outlives each of its
/// writers, so that a restarted driver goes on where the killed one stopped.
final class LinePipe {
    let path: String
    private let file: Int32
    private var rest: [UInt8] = []
    private var lines: [String] = []

    init(path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else {
            throw MillraceError(.system, "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        // Opened for writing too, so that it never ends while no driver runs.
        file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else {
            throw MillraceError(.system, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(file) }

    /// The next line; nil when none comes before the deadline, or when `writer` (a pidfd) has ended
    /// and left none.
    func next(before deadline: ContinuousClock.Instant, from writer: Int32) -> String? {
        while lines.isEmpty {
            let left = max(.zero, deadline - ContinuousClock.now)
            var pollers = [
                pollfd(fd: file, events: Int16(POLLIN), revents: 0),
                pollfd(fd: writer, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&pollers, 2, Int32(clamping: left.nanoseconds / 1_000_000))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0, pollers[0].revents != 0 else { return nil }
            take()
        }
        return lines.removeFirst()
    }

    private func take() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return }
        rest += buffer[..<count]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(decoding: rest[..<end], as: UTF8.self))
            rest.removeSubrange(...end)
        }
    }
}
