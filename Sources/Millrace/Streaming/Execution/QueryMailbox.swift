import Glibc
import MillraceBase
import MillraceCore

/// What others tell a streaming query: its thread looks here between two steps, and sleeps here
/// when it has nothing to do.
final class QueryMailbox: @unchecked Sendable {
    // `mutex` guards `events`. Swift's Mutex has no condition to wait on, hence pthread's.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var events: [MicroBatchEvent] = []
    private var hasData = false

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func post(_ event: MicroBatchEvent) {
        pthread_mutex_lock(mutex)
        events.append(event)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// A source has something new. Remembered once, however often it is said.
    func announceData() {
        pthread_mutex_lock(mutex)
        let isNews = !hasData
        hasData = true
        pthread_mutex_unlock(mutex)
        if isNews { pthread_cond_signal(condition) }
    }

    /// What has come, without waiting. Sources are about to be asked, so news of data are old by
    /// then.
    func take(into taken: inout [MicroBatchEvent]) {
        pthread_mutex_lock(mutex)
        taken.append(contentsOf: events)
        events.removeAll(keepingCapacity: true)
        pthread_mutex_unlock(mutex)
    }

    /// News of data count from now on; to be called before the sources are asked.
    func forgetData() {
        pthread_mutex_lock(mutex)
        hasData = false
        pthread_mutex_unlock(mutex)
    }

    /// Waits until something comes or that instant has come; what came, or nothing. News of data
    /// count if `forData`; otherwise they stay for the next wait.
    func wait(until deadline: Instant, forData: Bool, into taken: inout [MicroBatchEvent]) {
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
            tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        pthread_mutex_lock(mutex)
        while events.isEmpty && !(forData && hasData) {
            if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { break }
        }
        taken.append(contentsOf: events)
        events.removeAll(keepingCapacity: true)
        if forData, hasData {
            taken.append(.dataArrived)
            hasData = false
        }
        pthread_mutex_unlock(mutex)
    }
}
