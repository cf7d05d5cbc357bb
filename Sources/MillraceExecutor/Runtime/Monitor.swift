import Glibc
import MillraceBase

/// A value under a mutex, with a condition to wait on. Swift's Mutex has none, hence pthread's.
final class Monitor<State>: @unchecked Sendable {
    // `mutex` guards `state`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: consuming sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Calls `body` under the lock, again after each wake-up, until it gives a value.
    func wait<Result, Failure: Error>(
        until body: (inout State) throws(Failure) -> Result?
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait(until:)`, but nil when `limit` is over first.
    func wait<Result>(atMost limit: Duration, until body: (inout State) -> Result?) -> Result? {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = Int64(deadline.tv_nsec) + min(limit.nanoseconds, 1_000_000_000_000_000)
        deadline.tv_sec += Int(nanoseconds / 1_000_000_000)
        deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            guard pthread_cond_timedwait(condition, mutex, &deadline) == 0 else {
                return body(&state)
            }
        }
    }

    /// Wakes as many of those that wait.
    func wake(_ count: Int) { for _ in 0..<count { pthread_cond_signal(condition) } }
    func wakeAll() { pthread_cond_broadcast(condition) }
}
