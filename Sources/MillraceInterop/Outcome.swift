import Glibc
import Synchronization

/// How a case ended, handed from the loop to the thread that waits. The first outcome counts.
final class Outcome: Sendable {
    /// Made for threads.
    nonisolated(unsafe) private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let failure = Mutex<String??>(nil)

    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func set(_ value: String?) {
        let isFirst = failure.withLock { failure in
            guard failure == nil else { return false }
            failure = .some(value)
            return true
        }
        if isFirst { sem_post(semaphore) }
    }

    /// Until `set`; the loop's own timer sets a failure at the deadline.
    func wait() -> String? {
        while sem_wait(semaphore) != 0, errno == EINTR {}
        return failure.withLock { $0 ?? nil }
    }
}
