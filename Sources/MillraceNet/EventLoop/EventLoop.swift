import CLinux
import Glibc
import MillraceBase
import Synchronization

/// One thread that waits for sockets, timers and posted work, and runs each piece to its end.
///
/// A tick: wait; read the clock once; handle what is ready; run due timers; drain what other
/// threads posted; then end the tick: `atTickEnd` work first (a core decides once about everything
/// that arrived), flushes after it (each dirty connection writes once). Everything a loop owns is a
/// non-Sendable class made and used on its thread; other threads reach it by `post` and `Mailbox`.
///
/// `@unchecked Sendable`: `inbox` is a Mutex, `thread` an atomic; everything else is touched by the
/// loop's own thread only, which `preconditionOnLoop` checks at the doors.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
    public let name: String

    let inbox = Mutex(Inbox())
    let wakeDescriptor: FileDescriptor
    /// `pthread_self` of the loop's thread while it runs, else 0.
    let thread = Atomic<UInt>(0)

    var poller: Poller
    var timers: TimerQueue
    var tickEndWork: [() -> Void] = []
    var dirty: [any TickFlushing] = []
    var clock: Instant
    /// Scratch memory for one read of a socket, and for what TLS makes of it. Valid within one
    /// callback.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    let plainBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

    deinit {
        readBuffer.deallocate()
        plainBuffer.deallocate()
    }

    /// The thread starts with `start`. Throws if the system has no descriptors left.
    public init(name: String) throws(NetError) {
        self.name = name
        let wake = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard wake >= 0 else { throw NetError.last("eventfd") }
        wakeDescriptor = FileDescriptor(owning: wake)
        poller = try Poller()
        timers = try TimerQueue()
        clock = EventLoop.readClock()
        try poller.add(wake, events: Poller.readable, token: Poller.wakeToken)
        try poller.add(timers.descriptor.raw, events: Poller.readable, token: Poller.timerToken)
    }

    /// The time of this tick, read once. Loop only.
    public var now: Instant {
        preconditionOnLoop()
        return clock
    }

    // MARK: - Any thread

    /// Whether the caller runs on the loop's thread.
    public var isOnLoop: Bool { thread.load(ordering: .relaxed) == currentThread() }

    @inline(__always)
    public func preconditionOnLoop() {
        precondition(isOnLoop, "this belongs to another thread's event loop")
    }

    /// Runs the closure on the loop, in a later step of this tick or in the next one. Work posted
    /// from one thread runs in order. After `stop` it is dropped.
    public func post(_ body: @escaping @Sendable () -> Void) { _ = offer(.closure(body)) }

    // MARK: - Loop only: the end of the tick

    /// Runs the closure once, at the end of this tick, before anything is written to a socket.
    public func atTickEnd(_ body: @escaping () -> Void) {
        preconditionOnLoop()
        tickEndWork.append(body)
    }

    /// Asks for one `flush` at the end of this tick. The object calls it once per tick.
    func flushAtTickEnd(_ participant: any TickFlushing) { dirty.append(participant) }

    // MARK: - Loop only: timers

    /// Runs the closure once after that time (at once, in the next tick, if zero or less).
    @discardableResult
    public func schedule(after delay: Duration, _ body: @escaping () -> Void) -> TimerToken {
        schedule(at: clock + delay, body)
    }

    @discardableResult
    public func schedule(at deadline: Instant, _ body: @escaping () -> Void) -> TimerToken {
        preconditionOnLoop()
        // Never in this tick: a timer that schedules itself at once must not keep the loop from the
        // rest.
        return timers.insert(deadline: max(deadline, clock + .nanoseconds(1)), body)
    }

    /// The timer will not fire. Nothing happens if it has fired or was cancelled.
    public func cancel(_ token: TimerToken) {
        preconditionOnLoop()
        timers.cancel(token)
    }

    // MARK: - Loop only: descriptors

    /// Calls the closure whenever the descriptor is readable (an eventfd of a library, a pidfd, a
    /// signalfd) until `unwatch`. Level-triggered: the closure must take what is there. The caller
    /// keeps the descriptor open until then.
    public func watch(readable descriptor: Int32, _ body: @escaping () -> Void) throws(NetError)
        -> WatchToken
    {
        preconditionOnLoop()
        return WatchToken(
            registration: try register(descriptor, ReadableWatch(body), events: Poller.readable))
    }

    public func unwatch(_ token: WatchToken) { unregister(token.registration) }

    func register(_ descriptor: Int32, _ handler: any ReadinessHandler, events: UInt32)
        throws(NetError) -> Registration
    {
        try poller.register(descriptor, handler, events: events)
    }

    func update(_ registration: Registration, events: UInt32) {
        poller.update(registration, events: events)
    }

    func unregister(_ registration: Registration) { poller.unregister(registration) }

    static func readClock() -> Instant {
        var value = timespec()
        clock_gettime(CLOCK_MONOTONIC, &value)
        return Instant(nanoseconds: Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec))
    }
}

/// A timer that may be cancelled.
public struct TimerToken: Hashable, Sendable {
    let slot: Int
    let generation: UInt32
}

/// A descriptor that is being watched.
public struct WatchToken: Sendable {
    let registration: Registration
}

/// What is flushed at most once per tick: a connection with bytes to write.
protocol TickFlushing: AnyObject {
    func flush()
}

private final class ReadableWatch: ReadinessHandler {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func ready(_ events: UInt32) { body() }
    func loopStopped() {}
}
