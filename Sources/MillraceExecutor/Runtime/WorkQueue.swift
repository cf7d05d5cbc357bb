import Glibc

/// Tasks on their way from the loop to the task threads: a queue that blocks its takers.
///
/// First in, first out. Bounded by the driver, which hands an executor a few tasks more than it has
/// slots and no more.
final class WorkQueue<Item: Sendable>: @unchecked Sendable {
    // `mutex` guards everything below it. Swift's Mutex has no condition to wait on, hence
    // pthread's.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var items: [Item] = []
    private var head = 0
    private var sleepers = 0
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds items; wakes as many sleeping takers as there is work for.
    func push(_ new: [Item]) {
        pthread_mutex_lock(mutex)
        items.append(contentsOf: new)
        let wakes = min(sleepers, items.count - head)
        pthread_mutex_unlock(mutex)
        for _ in 0..<wakes { pthread_cond_signal(condition) }
    }

    /// The next item; waits for one. Nil once the queue is closed and empty.
    func pop() -> Item? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == items.count {
            if isClosed { return nil }
            sleepers += 1
            pthread_cond_wait(condition, mutex)
            sleepers -= 1
        }
        let item = items[head]
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024 {
            items.removeSubrange(0..<head)
            head = 0
        }
        return item
    }

    /// Takes out what `isMeant` says, before any taker gets it.
    func remove(where isMeant: (Item) -> Bool) -> [Item] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let removed = items[head...].filter(isMeant)
        if !removed.isEmpty {
            items = items[head...].filter { !isMeant($0) }
            head = 0
        }
        return removed
    }

    /// Takers get what is still there, then nil.
    func close(discarding: Bool) {
        pthread_mutex_lock(mutex)
        isClosed = true
        if discarding {
            items.removeAll()
            head = 0
        }
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(condition)
    }
}
