import CLinux
import Glibc
import Millrace
import MillraceBase

/// A job of three stages whose executor has a bad day in the middle one, between what it reads from
/// the first and what it writes for the last.
enum ExecutorFaults {
    static func run(_ scenario: String, _ context: MillraceContext) async throws -> Bool {
        switch scenario {
        case "killed-in-second-stage":
            let marker = "\(ClusterJobs.temporaryFolder())/killed"
            try await threeStages(context) { if $0 == 5 { dieOnce(marker) } }
            ClusterJobs.check(access(marker, F_OK), 0)
        case "stopped-in-second-stage": try await stopped(context)
        case "stopped-while-saving": try await stoppedWhileSaving(context)
        case "stopped-and-cancelled": try await stoppedAndCancelled(context)
        case "executors-always-die":
            _ = try await context.range(0, 4, 1, 2).map { _ in kill(getpid(), SIGKILL) }.count()
        case "full-disk": try await FullDisks.one(context)
        case "full-disks": try await FullDisks.all(context)
        default: return false
        }
        return true
    }

    private static let rows = 4_000

    /// Checks the result. `meanwhile` gets the keys of the second stage, in its tasks.
    private static func threeStages(
        _ context: MillraceContext, _ meanwhile: @escaping @Sendable (Int) throws -> Void
    ) async throws {
        let sums = try await context.range(0, rows, 1, 4).map { ($0 % 100, $0) }
            .reduceByKey(numPartitions: 4, +)
            .map { row -> (Int, Int) in
                try meanwhile(row.0)
                return (row.1 / 40 % 10, row.0)
            }
            .reduceByKey(numPartitions: 3, +).collect()
        ClusterJobs.check(Dictionary(uniqueKeysWithValues: sums), expected)
    }

    private static var expected: [Int: Int] {
        var sums: [Int: Int] = [:]
        for value in 0..<rows { sums[value % 100, default: 0] += value }
        var expected: [Int: Int] = [:]
        for (key, sum) in sums { expected[sum / 40 % 10, default: 0] += key }
        return expected
    }

    // MARK: SIGSTOP

    /// An executor that says nothing is lost, and its process doesn't live on.
    private static func stopped(_ context: MillraceContext) async throws {
        let note = "\(ClusterJobs.temporaryFolder())/stopped"
        try await threeStages(context) { if $0 == 5 { stopOnce(note) } }
        let victim = try processID(in: note)
        waitForEnd(of: victim)
        let left = try await context.executors().map(\.processID)
        ClusterJobs.check(left.contains(Int(victim)), false)
        try await threeStages(context) { _ in }
    }

    /// An executor stops before its task commits, is lost, cannot be killed (it belongs to another
    /// user, and this process may not kill those), and goes on when all is over: it ends without
    /// having changed anything.
    private static func stoppedWhileSaving(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        chmod(folder, 0o777)
        let note = "\(folder)/stopped"
        let output = "\(folder)/output"
        try await context.range(0, rows, 1, 4).map { ($0 % 100, $0) }
            .reduceByKey(numPartitions: 4, +).map { ($0.1 / 40 % 10, $0.0) }
            .reduceByKey(numPartitions: 3, +)
            .map { row -> String in
                if row.0 == 5 { stopOnce(note) { becomeNobody() } }
                return "\(row.0) \(row.1)"
            }
            .saveAsTextFile(output)
        let victim = try processID(in: note)
        let saved = try await lines(context, output)
        ClusterJobs.check(saved, expected.map { "\($0.key) \($0.value)" }.sorted())
        let names = names(in: output)
        while try await context.executors().contains(where: { $0.processID == Int(victim) }) {
            await Task.yield()
        }
        // Its process is there still, and wakes up only now.
        ClusterJobs.check(kill(victim, SIGCONT), 0)
        waitForEnd(of: victim)
        ClusterJobs.check(ExecutorFaults.names(in: output), names)
        ClusterJobs.check(try await lines(context, output), saved)
        try await threeStages(context) { _ in }
    }

    /// Its task is asked to end, and it says nothing: it's given up, long before its silence would
    /// have been noticed.
    private static func stoppedAndCancelled(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        let (note, path) = ("\(folder)/stopped", "\(folder)/started")
        mkfifo(path, 0o600)
        let started = open(path, O_RDWR)
        defer { close(started) }
        let job = Task {
            try await context.range(0, 1, 1, 1).foreach { _ in
                let starts = open(path, O_WRONLY)
                stopOnce(note) { _ = write(starts, "s", 1) }
                close(starts)
            }
        }
        var byte: UInt8 = 0
        ClusterJobs.check(read(started, &byte, 1), 1)
        job.cancel()
        do {
            try await job.value
            ClusterJobs.fail("a cancelled job ended well")
        } catch let error as MillraceError { ClusterJobs.check(error.code, .cancelled) }
        waitForEnd(of: try processID(in: note))
        ClusterJobs.check(await context.waitForExecutors(2...2, timeout: .seconds(60)), 2)
        try await threeStages(context) { _ in }
    }

    private static func lines(_ context: MillraceContext, _ folder: String) async throws -> [String]
    {
        try await context.textFile(folder).collect().sorted()
    }

    // MARK: Pieces

    private static func processID(in note: String) throws -> pid_t {
        guard let file = fopen(note, "r") else { ClusterJobs.fail("nobody stopped") }
        defer { fclose(file) }
        var digits = [CChar](repeating: 0, count: 32)
        fgets(&digits, 32, file)
        return pid_t(atoi(digits))
    }

    /// Returns when there is no such process; gives up after a minute.
    private static func waitForEnd(of process: pid_t) {
        let descriptor = clinux_pidfd_open(process)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&wait, 1, 60_000) != 1 { ClusterJobs.fail("process \(process) lives on") }
    }

    /// All paths below a folder.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            found.append(name)
            found += names(in: "\(folder)/\(name)").map { "\(name)/\($0)" }
        }
        return found.sorted()
    }
}

/// Stops this process, for the first caller that makes the note, in which it says which one it is.
private func stopOnce(_ note: String, _ before: () -> Void = {}) {
    let file = open(note, O_CREAT | O_EXCL | O_WRONLY, 0o666)
    guard file >= 0 else { return }
    let text = "\(getpid())"
    write(file, text, text.utf8.count)
    close(file)
    before()
    // To this very thread: it doesn't run a step further.
    raise(SIGSTOP)
}

private func becomeNobody() {
    let nobody: uid_t = 65_534
    guard setgid(nobody) == 0, setuid(nobody) == 0 else { ClusterJobs.fail("still root") }
}
