import Glibc
import Synchronization

extension EventLoop {
    /// A piece of work from another thread.
    enum Work: Sendable {
        case closure(@Sendable () -> Void)
        case job(UnownedJob)
        case drain(any Drainable)
    }

    /// Where the loop is in its life, as other threads see it.
    enum LifeCycle: Sendable {
        /// Made; `start` has not been called. Posted work is kept.
        case idle
        /// The thread runs. Posted work is done.
        case running
        /// `stop` was called; the thread finishes its tick and what was posted before.
        case stopping
        /// The thread has ended. Posted work is dropped.
        case stopped
    }

    struct Inbox: Sendable {
        var work: [Work] = []
        var lifeCycle = LifeCycle.idle
        /// The eventfd has been written and the loop has not looked yet: no one else need write it.
        var isWakePending = false
        /// The thread, until someone has joined it.
        var joinable: pthread_t?
    }

    /// Queues work and wakes the loop if nobody has; false when the loop has stopped.
    func offer(_ work: Work) -> Bool {
        let (accepted, wakes) = inbox.withLock { inbox in
            guard inbox.lifeCycle != .stopped else { return (false, false) }
            inbox.work.append(work)
            let wakes = !inbox.isWakePending
            inbox.isWakePending = true
            return (true, wakes)
        }
        // From the loop itself no wake-up is needed, but the flag is set all the same: the loop
        // looks at the inbox before it waits.
        if wakes && !isOnLoop { wake() }
        return accepted
    }

    func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(wakeDescriptor.raw, &one, 8)
    }

    func acknowledgeWake() {
        var count: UInt64 = 0
        _ = Glibc.read(wakeDescriptor.raw, &count, 8)
    }
}

/// What a mailbox is to its loop.
protocol Drainable: AnyObject, Sendable {
    func drain()
}
