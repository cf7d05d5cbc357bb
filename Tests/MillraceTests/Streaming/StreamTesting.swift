import Glibc
import MillraceBase
import MillraceExecutor
import Synchronization

@testable import Millrace

/// Rows that a `foreachBatch` sink has seen, by batch.
final class SeenBatches<Element: Sendable>: Sendable {
    private let state = Mutex<[(batch: Int, rows: [Element])]>([])
    func add(_ batch: Int, _ rows: [Element]) { state.withLock { $0.append((batch, rows)) } }
    var all: [(batch: Int, rows: [Element])] { state.withLock { $0 } }
    var batches: [Int] { all.map(\.batch) }
    var rows: [Element] { all.flatMap(\.rows) }
    /// Of batches that came twice, the last.
    var last: [Int: [Element]] {
        Dictionary(all.map { ($0.batch, $0.rows) }) { $1 }
    }
}

/// What a simulated crash throws.
struct SimulatedCrash: Error {}

/// Starts a writer's query with a crash built in.
extension DataStreamWriter {
    func start(crashing step: StreamingStep?) async throws -> StreamingQuery {
        let crash = step.map { step in
            { @Sendable (now: StreamingStep) throws in if now == step { throw SimulatedCrash() } }
        }
        return try await start(nil, fault: crash)
    }
}

/// A step of one thread that another one waits for. For real threads only: it blocks.
final class Reached: @unchecked Sendable {
    // A semaphore is made for threads.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func reach() { sem_post(semaphore) }

    /// False when nobody came within a minute.
    func wait() -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += 60
        while sem_timedwait(semaphore, &deadline) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }
}
