import Glibc
import Millrace
import MillraceBase

/// Tasks that are asked to end.
extension ClusterJobs {
    /// Fills every core with tasks that would never end, and cancels them: the next job finds the
    /// cores free.
    static func cancelledJob(_ context: MillraceContext) async throws {
        try await cancelEndless(context) { try TaskContext.current?.killTaskIfInterrupted() }
        check(try await context.range(0, 100, 1, 4).count(), 100)
    }

    /// The same, with tasks that don't listen: their executors end themselves and are replaced.
    static func stubbornJob(_ context: MillraceContext) async throws {
        let before = try await context.executors().map(\.processID)
        try await cancelEndless(context) {}
        check(try await context.range(0, 100, 1, 4).count(), 100)
        for pid in try await context.executors().map(\.processID) {
            check(before.contains(pid), false)
        }
    }

    private static func cancelEndless(
        _ context: MillraceContext, _ listen: @escaping @Sendable () throws -> Void
    ) async throws {
        let path = "\(temporaryFolder())/started"
        mkfifo(path, 0o600)
        let started = open(path, O_RDWR)
        defer { close(started) }
        let job = Task {
            try await context.withLocalProperty("who", "endless") {
                try await context.range(0, 2, 1, 2).foreach { value in
                    let task = TaskContext.current
                    check(task?.localProperty("who"), "endless")
                    check(task?.partitionId, value)
                    check(task?.isInterrupted, false)
                    check(task?.attemptNumber, 0)
                    let starts = open(path, O_WRONLY)
                    write(starts, "s", 1)
                    close(starts)
                    var none = pollfd()
                    while true {
                        try listen()
                        poll(&none, 0, 1)
                    }
                }
            }
        }
        var byte: UInt8 = 0
        for _ in 0..<2 { check(read(started, &byte, 1), 1) }
        job.cancel()
        do {
            try await job.value
            fail("an endless job ended")
        } catch let error as MillraceError {
            check(error.code, .cancelled)
        }
    }
}
