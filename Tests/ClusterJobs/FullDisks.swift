import Glibc
import Millrace
import MillraceBase

/// A job of three stages whose executors have disks of their own, small ones, that are full in the
/// second stage when its map outputs are written. To be run in a mount namespace of its own.
enum FullDisks {
    private static let rows = 400_000

    static func one(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        try await withDisks(of: context) {
            let sum = try await sum(context) { fillDisk(marker: "\(folder)/full") }
            ClusterJobs.check(sum, rows * (rows - 1) / 2)
            ClusterJobs.check(access("\(folder)/full", F_OK), 0)
        }
    }

    /// The job fails, says why, and leaves nothing half-written.
    static func all(_ context: MillraceContext) async throws {
        let folder = ClusterJobs.temporaryFolder()
        try await withDisks(of: context) {
            do {
                _ = try await sum(context) { fillDisk(marker: "\(folder)/\(getpid())") }
                ClusterJobs.fail("the job succeeded on full disks")
            } catch let error as MillraceError {
                ClusterJobs.check(error.code, .jobAborted)
                print(error.message)
            }
            let left = ExecutorFaults.names(in: localFolder(context))
            ClusterJobs.check(left.filter { $0.contains(".tmp") || $0.contains("shuffle_1_") }, [])
        }
    }

    /// Too much for memory in both shuffles.
    private static func sum(
        _ context: MillraceContext, _ meanwhile: @escaping @Sendable () -> Void
    ) async throws -> Int {
        try await context.range(0, rows, 1, 4)
            .mapPartitionsWithIndex { _, rows -> [(Int, Int)] in
                giveOwnDisk()
                return rows.map { ($0 &* 0x1E37_79B9_7F4A_7C15, $0) }
            }
            .partitionBy(HashPartitioner(4))
            .mapPartitionsWithIndex { _, rows -> [(Int, Int)] in
                meanwhile()
                return rows.map { ($0.0 ^ 0x5555, $0.1) }
            }
            .partitionBy(HashPartitioner(3)).map { $0.1 }.reduce { $0 + $1 }
    }

    private static func localFolder(_ context: MillraceContext) -> String {
        context.conf.application.localDirectory ?? "/tmp"
    }

    /// What is mounted in the application's folder would keep it from being removed.
    private static func withDisks(
        of context: MillraceContext, _ body: () async throws -> Void
    ) async throws {
        try await body()
        let folder = localFolder(context)
        for name in ExecutorFaults.names(in: folder)
        where name.split(separator: "/").last!.hasPrefix("executor-") {
            umount2("\(folder)/\(name)", 2)  // MNT_DETACH
        }
    }
}

/// Puts a file system of 16 MiB over this executor's folder, once.
private func giveOwnDisk() {
    let folder = executorFolder()
    let marker = open("\(folder)/own-disk", O_RDONLY)
    if marker >= 0 {
        close(marker)
        return
    }
    guard mount("none", folder, "tmpfs", 0, "size=16m") == 0 else {
        ClusterJobs.fail("cannot mount: \(String(cString: strerror(errno)))")
    }
    close(open("\(folder)/own-disk", O_CREAT | O_WRONLY, 0o600))
}

/// Leaves little room on the disk of this executor, for the first caller that makes the marker.
private func fillDisk(marker: String) {
    let mark = open(marker, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    guard mark >= 0 else { return }
    close(mark)
    let ballast = open("\(executorFolder())/ballast", O_CREAT | O_WRONLY, 0o600)
    defer { close(ballast) }
    let zeros = [UInt8](repeating: 0, count: 64 << 10)
    var size = 0
    while true {
        let written = write(ballast, zeros, zeros.count)
        if written <= 0 { break }
        size += written
    }
    ftruncate(ballast, off_t(size - (128 << 10)))
}

/// Of the executor that runs the calling task.
func executorFolder() -> String {
    guard let folder = getenv("MILLRACE_EXECUTOR_DIRECTORY") else {
        ClusterJobs.fail("no executor process")
    }
    return String(cString: folder)
}

// In glibc, and not in the Glibc module.
@_silgen_name("mount")
private func mount(
    _: UnsafePointer<CChar>, _: UnsafePointer<CChar>, _: UnsafePointer<CChar>, _: UInt,
    _: UnsafePointer<CChar>
) -> Int32
@_silgen_name("umount2")
@discardableResult private func umount2(_: UnsafePointer<CChar>, _: Int32) -> Int32
