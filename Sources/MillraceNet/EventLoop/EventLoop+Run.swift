import CLinux
import Glibc
import MillraceBase
import Synchronization

/// The thread of the loop: start, tick, stop, join.
extension EventLoop {
    /// Starts the thread. Once per loop.
    public func start() throws(NetError) {
        let unmanaged = Unmanaged.passRetained(self)
        let code = inbox.withLock { inbox -> Int32 in
            precondition(inbox.lifeCycle == .idle, "an event loop is started once")
            var handle = pthread_t()
            let code = pthread_create(&handle, nil, eventLoopThread, unmanaged.toOpaque())
            guard code == 0 else { return code }
            inbox.joinable = handle
            inbox.lifeCycle = .running
            return 0
        }
        guard code == 0 else {
            unmanaged.release()
            throw NetError.system(operation: "pthread_create", code: code)
        }
    }

    /// Asks the loop to end after the work that was posted before. Any thread, any number of times.
    /// What the loop still owns then (timers, watches, sockets) is dropped, on its thread.
    public func stop() {
        inbox.withLock { inbox in
            switch inbox.lifeCycle {
            case .idle: inbox.lifeCycle = .stopped
            case .running: inbox.lifeCycle = .stopping
            case .stopping, .stopped: break
            }
        }
        wake()
    }

    /// Waits for the thread to end; false if it has not within that time. Not from the loop itself.
    @discardableResult
    public func join(within limit: Duration = .seconds(30)) -> Bool {
        precondition(!isOnLoop, "a loop cannot wait for its own end")
        guard let handle = inbox.withLock({ $0.joinable.take() }) else { return true }
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let total = Int64(deadline.tv_nsec) + min(limit.nanoseconds, 1_000_000_000_000_000)
        deadline.tv_sec += Int(total / 1_000_000_000)
        deadline.tv_nsec = Int(total % 1_000_000_000)
        if clinux_join_until(handle, &deadline) == 0 { return true }
        inbox.withLock { $0.joinable = handle }
        return false
    }

    var isIdle: Bool { inbox.withLock { $0.lifeCycle == .idle } }

    fileprivate func run() {
        thread.store(currentThread(), ordering: .relaxed)
        _ = clinux_name_thread(String(name.prefix(15)))
        blockBrokenPipeSignal()
        var isRunning = true
        while isRunning { isRunning = tick() }
        dismantle()
        thread.store(0, ordering: .relaxed)
    }

    /// One turn; false when it was the last.
    private func tick() -> Bool {
        timers.arm()
        let count = poller.wait(milliseconds: hasWorkNow ? 0 : -1)
        clock = EventLoop.readClock()
        for index in 0..<count { dispatch(poller.event(at: index)) }
        while let body = timers.popDue(clock) { body() }
        let isLast = drainInbox()
        endTick()
        if Log.isEnabled(.debug) { complainIfSlow(count) }
        return !isLast
    }

    /// Somebody blocks the loop, or does too much in one step.
    private func complainIfSlow(_ events: Int) {
        let taken = EventLoop.readClock() - clock
        guard taken > Self.slowTick else { return }
        Log.debug("net", "slow tick", ["loop": name, "ms": taken.milliseconds, "events": events])
    }

    private static let slowTick = Duration.milliseconds(5)

    private var hasWorkNow: Bool {
        !dirty.isEmpty || !tickEndWork.isEmpty
            || inbox.withLock { !$0.work.isEmpty || $0.lifeCycle != .running }
    }

    private func dispatch(_ event: (token: UInt64, events: UInt32)) {
        switch event.token {
        case Poller.wakeToken: acknowledgeWake()
        case Poller.timerToken: timers.acknowledge()
        default: poller.handler(for: event.token)?.ready(event.events)
        }
    }

    /// Does what was posted; true when the loop is to end.
    private func drainInbox() -> Bool {
        let (work, isLast) = inbox.withLock { inbox in
            let taken = inbox.work
            inbox.work = []
            inbox.isWakePending = false
            return (taken, inbox.lifeCycle == .stopping)
        }
        for item in work { perform(item) }
        return isLast
    }

    private func perform(_ item: Work) {
        switch item {
        case .closure(let body): body()
        case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        case .drain(let mailbox): mailbox.drain()
        }
    }

    /// Decisions first, then writes. What a flush makes dirty again is written in the next tick, so
    /// that one peer that answers fast cannot keep the loop from the others.
    private func endTick() {
        var index = 0
        while index < tickEndWork.count {
            tickEndWork[index]()
            index += 1
        }
        tickEndWork.removeAll(keepingCapacity: true)
        guard !dirty.isEmpty else { return }
        let flushing = dirty
        dirty.removeAll(keepingCapacity: true)
        for participant in flushing { participant.flush() }
    }

    /// The end of the loop: its objects go away on its own thread. Work posted by them is done too.
    private func dismantle() {
        for handler in poller.handlers { handler.loopStopped() }
        var rounds = 0
        while hasWorkLeft, rounds < 16 {
            _ = drainInbox()
            endTick()
            rounds += 1
        }
        timers.removeAll()
        poller.removeAll()
        let rest = inbox.withLock { inbox in
            inbox.lifeCycle = .stopped
            defer { inbox.work = [] }
            return inbox.work
        }
        for item in rest {
            if case .job = item { perform(item) }
        }
        tickEndWork.removeAll()
        dirty.removeAll()
    }

    private var hasWorkLeft: Bool {
        inbox.withLock { !$0.work.isEmpty } || !dirty.isEmpty || !tickEndWork.isEmpty
    }
}

func currentThread() -> UInt { UInt(pthread_self()) }

/// `sendfile` has no flag against SIGPIPE, and a library has no business to change the process's
/// disposition of a signal: the loop's thread does not receive it.
private func blockBrokenPipeSignal() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &set, nil)
}

/// A top-level function, because a closure made in an async main would be bound to the main actor.
private func eventLoopThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let loop = Unmanaged<EventLoop>.fromOpaque(argument!).takeRetainedValue()
    loop.run()
    return nil
}
