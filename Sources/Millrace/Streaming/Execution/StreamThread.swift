import Glibc
import MillraceExecutor

/// A thread of a streaming query: runs the query's Swift task, and may block as long as it likes,
/// for it is not of Swift's cooperative pool.
final class StreamThread: TaskExecutor, @unchecked Sendable {
    // `mutex` guards `jobs` and `isClosed`. Swift's Mutex has no condition to wait on, hence
    // pthread's.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var isClosed = false

    /// Throws when the system has no more threads.
    init(name: String) throws {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        try TaskThread.detached(name: name) { [self] in loop() }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// Lets the thread end when it has nothing to run.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    private func loop() {
        let executor = asUnownedTaskExecutor()
        var batch: [UnownedJob] = []
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty && !isClosed { pthread_cond_wait(condition, mutex) }
            swap(&jobs, &batch)
            pthread_mutex_unlock(mutex)
            if batch.isEmpty { return }
            for job in batch { job.runSynchronously(on: executor) }
            batch.removeAll(keepingCapacity: true)
        }
    }
}
