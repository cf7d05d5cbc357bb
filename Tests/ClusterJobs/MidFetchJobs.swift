import CLinux
import Glibc
import Millrace
import MillraceBase

/// A reduce task reads two large blocks, one of its own executor and one of another, which ends
/// when the first part of its block is on the reader's disk and the rest has not come.
enum MidFetchJobs {
    static func run(_ scenario: String, _ context: MillraceContext) async throws -> Bool {
        switch scenario {
        case "killed-in-mid-fetch": try await lose(context, by: SIGKILL)
        case "stopped-in-mid-fetch": try await lose(context, by: SIGSTOP)
        default: return false
        }
        return true
    }

    /// By map task; each block is some 20 MB, several parts.
    private static let rows = 200_000

    private static func lose(_ context: MillraceContext, by signal: Int32) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let report = "\(folder)/report"
        // Both must be there, or one executor would run both map tasks.
        ClusterJobs.check(await context.waitForExecutors(2...2, timeout: .seconds(60)), 2)
        let sum = try await context.range(0, 2 * rows, 1, 2)
            .mapPartitionsWithIndex { index, values -> [(Int, String)] in
                meet(1 - index, iAm: index, in: folder)
                return values.map { ($0, wide($0)) }
            }
            .partitionBy(HashPartitioner(1))
            .mapPartitionsWithIndex { _, rows -> [Int] in
                let reader = String(getpid())
                let victim = (0..<2).compactMap { pid(in: "\(folder)/\($0)") }
                    .first { String($0) != reader }
                if let victim, once(report) {
                    Trap.set(in: executorFolder(), victim, signal, report)
                }
                var sum = 0
                for (value, text) in rows {
                    if text != wide(value) { ClusterJobs.fail("another text for \(value)") }
                    sum += value
                }
                return [sum]
            }
            .reduce { $0 + $1 }
        ClusterJobs.check(sum, 2 * rows * (2 * rows - 1) / 2)
        guard let arrived = pid(in: report) else { ClusterJobs.fail("nobody was in mid-fetch") }
        print("lost after \(arrived) bytes")
    }

    private static func wide(_ value: Int) -> String {
        String(repeating: "0123456789", count: 10) + String(value)
    }

    /// Says who runs this task and waits until the other one has said so: they are in two
    /// executors.
    private static func meet(_ other: Int, iAm index: Int, in folder: String) {
        guard access("\(folder)/\(index)", F_OK) != 0 else { return }
        let (draft, name) = ("\(folder)/.\(index)-\(getpid())", "\(folder)/\(index)")
        let inbox = inotify_init1(Int32(O_CLOEXEC))
        inotify_add_watch(inbox, folder, UInt32(IN_MOVED_TO))
        defer { close(inbox) }
        let file = open(draft, O_CREAT | O_WRONLY, 0o600)
        let text = "\(getpid())"
        write(file, text, text.utf8.count)
        close(file)
        rename(draft, name)
        while access("\(folder)/\(other)", F_OK) != 0 {
            var wait = pollfd(fd: inbox, events: Int16(POLLIN), revents: 0)
            if poll(&wait, 1, 60_000) != 1 { ClusterJobs.fail("the other map task never began") }
            var events = [UInt8](repeating: 0, count: 4_096)
            _ = read(inbox, &events, events.count)
        }
    }

    /// The number that a file begins with.
    private static func pid(in path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var digits = [CChar](repeating: 0, count: 32)
        guard fgets(&digits, 32, file) != nil else { return nil }
        return atol(digits)
    }

    private static func once(_ marker: String) -> Bool {
        let file = open(marker, O_CREAT | O_EXCL | O_WRONLY, 0o600)
        if file >= 0 { close(file) }
        return file >= 0
    }
}

/// Springs at the first write to a fetched copy in a folder, within that very write: inotify
/// signals the thread that writes, so that it gets no further before its block's owner is gone.
private enum Trap {
    nonisolated(unsafe) private static var inbox: Int32 = -1
    nonisolated(unsafe) private static var folder = ""
    nonisolated(unsafe) private static var victim: pid_t = 0
    nonisolated(unsafe) private static var signal: Int32 = 0
    nonisolated(unsafe) private static var report = ""
    // From fcntl.h, where they are for C with _GNU_SOURCE only.
    private static let setOwner: Int32 = 15
    private static let setSignal: Int32 = 10

    /// For the calling thread.
    static func set(in folder: String, _ victim: Int, _ signal: Int32, _ report: String) {
        self.folder = folder
        self.victim = pid_t(victim)
        self.signal = signal
        self.report = report
        inbox = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
        inotify_add_watch(inbox, folder, UInt32(IN_MODIFY))
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Trap.spring() }
        sigaction(SIGUSR2, &action, nil)
        // F_OWNER_TID
        var owner: (kind: Int32, thread: Int32) = (0, gettid())
        _ = withUnsafeMutablePointer(to: &owner) { fcntl(inbox, setOwner, $0) }
        _ = fcntl(inbox, setSignal, SIGUSR2)
        _ = fcntl(inbox, F_SETFL, O_ASYNC | O_NONBLOCK)
    }

    /// In a signal handler, but at a known place: the thread is in write(2).
    private static func spring() {
        var events = [UInt8](repeating: 0, count: 4_096)
        let count = read(inbox, &events, events.count)
        guard count > 0 else { return }
        let text = String(decoding: events[..<count], as: UTF8.self)
        guard let name = text.split(separator: "\0").first(where: { $0.contains(".fetched") })
        else { return }
        close(inbox)
        kill(victim, signal)
        if signal == SIGKILL { waitForEnd() }
        var status = stat()
        stat("\(folder)/\(name)", &status)
        let file = open(report, O_WRONLY)
        let size = "\(status.st_size)"
        write(file, size, size.utf8.count)
        close(file)
    }

    private static func waitForEnd() {
        let process = clinux_pidfd_open(victim)
        guard process >= 0 else { return }
        defer { close(process) }
        var wait = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        if poll(&wait, 1, 60_000) != 1 { ClusterJobs.fail("\(victim) lives on") }
    }
}

// In glibc, and not in the Glibc module.
@_silgen_name("gettid")
private func gettid() -> Int32
