import Glibc
import MillraceBase
import MillraceExecutor
import MillraceWire
import Synchronization

/// Lines of text from a TCP server, kept in the driver's memory until a batch has read them.
/// Spark's `socket`: for trying things out, for what was read and not processed is lost with the
/// driver.
struct SocketSourceProvider: StreamSourceProvider {
    var host: String
    var port: Int
    var partitions: Int

    func open(_ place: SourcePlace) throws -> any MicroBatchSource {
        try SocketSource(self, wake: place.wake)
    }
}

final class SocketSource: MicroBatchSource {
    private let settings: SocketSourceProvider
    private let connection: SocketLines
    private let codec: RowCodec<String>
    private var target: Int64?
    private var isNumbered = false

    init(_ settings: SocketSourceProvider, wake: @escaping @Sendable () -> Void) throws {
        self.settings = settings
        codec = try RowCodec()
        connection = try SocketLines(host: settings.host, port: settings.port, wake: wake)
    }

    var description: String { "TextSocketV2[host: \(settings.host), port: \(settings.port)]" }
    func initialOffset() -> String { "-1" }
    var newestOffset: String? { String(connection.last) }

    func latestOffset(from start: String) throws -> String? {
        let start = try number(start)
        let end = target ?? connection.last
        return end > start ? String(end) : nil
    }
    func prepareAvailableNow(from start: String) throws {
        _ = try number(start)
        target = connection.last
    }

    /// The first offset that the query names is where this connection's lines begin.
    private func number(_ start: String) throws -> Int64 {
        let start = try IntegerOffset.value(start, of: description)
        if !isNumbered {
            isNumbered = true
            connection.begin(after: start)
        }
        return start
    }

    func plan(from start: String, to end: String) throws -> [[UInt8]] {
        let from = try number(start)
        let to = try IntegerOffset.value(end, of: description)
        let lines = try connection.lines(after: from, through: to)
        return try (0..<settings.partitions).map { partition in
            let own = stride(from: partition, to: lines.count, by: settings.partitions)
            return try codec.bytes(of: own.map { lines[$0] })
        }
    }

    func backlog(after end: String, rows: Int64) -> Int64? {
        Int64(end).map { max(connection.last - $0, 0) }
    }
    func commit(_ end: String) {
        if let end = Int64(end) { connection.forget(through: end) }
    }
    func stop() { connection.close() }
}

/// A descriptor that one thread reads and others may end. Whoever ends it holds the lock under
/// which it is closed: a number that has been closed may already be somebody else's.
final class SharedSocket: Sendable {
    let descriptor: Int32
    private let isOpen = Mutex(true)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// A blocked read returns. Any thread.
    func endReading() {
        isOpen.withLock { isOpen in
            if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// By the thread that reads, once, when it reads no more.
    func close() {
        isOpen.withLock { isOpen in
            isOpen = false
            Glibc.close(descriptor)
        }
    }
}

/// A connection whose lines a thread reads into memory.
final class SocketLines: Sendable {
    private struct State {
        var lines: [String] = []
        /// Number of the line before the first of `lines`.
        var before: Int64 = -1
        var failure: String?
    }
    private let state = Mutex(State())
    private let connection: SharedSocket
    private let address: String

    /// Throws `unavailable` when nobody listens there.
    init(host: String, port: Int, wake: @escaping @Sendable () -> Void) throws {
        address = "\(host):\(port)"
        let connection = SharedSocket(try SocketLines.connect(host, port))
        self.connection = connection
        try TaskThread.detached(name: "socket-source") { [weak self] in
            SocketLines.read(connection.descriptor) { lines, failure in
                guard let self else { return false }
                self.state.withLock { state in
                    state.lines.append(contentsOf: lines)
                    state.failure = failure ?? state.failure
                }
                if !lines.isEmpty { wake() }
                return true
            }
            connection.close()
        }
    }

    deinit { close() }

    /// Ends the thread, which closes the descriptor.
    func close() { connection.endReading() }

    var last: Int64 { state.withLock { $0.before + Int64($0.lines.count) } }
    func begin(after start: Int64) { state.withLock { $0.before = start } }

    func lines(after from: Int64, through to: Int64) throws -> [String] {
        try state.withLock { state in
            guard from >= state.before, to <= state.before + Int64(state.lines.count) else {
                throw MillraceError(
                    .incompatibleState,
                    "lines \(from + 1) to \(to) from the socket \(address) were lost with the "
                        + "driver that "
                        + "read them; the source socket cannot repeat a batch")
            }
            return Array(state.lines[Int(from - state.before)..<Int(to - state.before)])
        }
    }

    func forget(through end: Int64) {
        state.withLock { state in
            let count = min(max(Int(end - state.before), 0), state.lines.count)
            state.lines.removeFirst(count)
            state.before += Int64(count)
        }
    }

    private static func connect(_ host: String, _ port: Int) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw MillraceError(
                .unavailable, "cannot find the host \(host): \(String(cString: gai_strerror(code)))"
            )
        }
        defer { freeaddrinfo(list) }
        var reason = "it has no address"
        var next = list
        while let candidate = next {
            next = candidate.pointee.ai_next
            let descriptor = socket(
                candidate.pointee.ai_family,
                candidate.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { continue }
            if Glibc.connect(descriptor, candidate.pointee.ai_addr, candidate.pointee.ai_addrlen)
                == 0
            {
                return descriptor
            }
            reason = String(cString: strerror(errno))
            Glibc.close(descriptor)
        }
        throw MillraceError(
            .unavailable, "cannot connect to \(host):\(port): \(reason)", isRetriable: true)
    }

    /// Hands out whole lines until the peer closes or `take` says false.
    private static func read(
        _ descriptor: Int32, _ take: ([String], _ failure: String?) -> Bool
    ) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var rest: [UInt8] = []
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let why = count < 0 ? String(cString: strerror(errno)) : "closed by the peer"
                _ = take(rest.isEmpty ? [] : [String(decoding: rest, as: UTF8.self)], why)
                return
            }
            rest.append(contentsOf: buffer[..<count])
            var lines: [String] = []
            var start = 0
            while let end = rest[start...].firstIndex(of: 0x0A) {
                let line = rest[start..<end]
                lines.append(
                    String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self))
                start = end + 1
            }
            rest.removeSubrange(0..<start)
            if !lines.isEmpty, !take(lines, nil) { return }
        }
    }
}
