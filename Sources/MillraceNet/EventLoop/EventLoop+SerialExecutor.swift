import CLinux
import Glibc
import MillraceBase
import Synchronization

/// The door for Swift's concurrency: an actor whose `unownedExecutor` is the loop runs on its
/// thread.
extension EventLoop {
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A loop that has ended runs nothing any more, but a job that is dropped leaves its awaiter
        // hanging forever: it runs where it was enqueued.
        if !offer(.job(job)) { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    public func checkIsolated() { preconditionOnLoop() }

    public func isIsolatingCurrentContext() -> Bool? { isOnLoop }

    /// Runs the closure on the loop and gives its result; throws `NetError.stopped` if the loop has
    /// ended.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let once = Answer<Value>(continuation)
            let accepted = offer(.closure { once.resume(Result(catching: body)) })
            if !accepted { once.resume(.failure(NetError.stopped)) }
        }
    }

    /// The same for a thread that may block (not the loop's own): throws `NetError.timedOut` at the
    /// limit.
    public func sync<Value: Sendable>(
        within limit: Duration = .seconds(30), _ body: @escaping @Sendable () throws -> Value
    ) throws -> Value {
        if isOnLoop { return try body() }
        let rendezvous = Rendezvous<Value>()
        guard offer(work(for: Promised(rendezvous), body)) else { throw NetError.stopped }
        return try rendezvous.wait(limit)
    }
}

/// Apart, so that the closure is the promise's only holder.
private func work<Value: Sendable>(
    for promised: Promised<Value>, _ body: @escaping @Sendable () throws -> Value
) -> EventLoop.Work {
    .closure { promised.rendezvous.complete(Result(catching: body)) }
}

/// Resumes a continuation exactly once; if the loop drops the closure, with `NetError.stopped`.
private final class Answer<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>
    init(_ continuation: CheckedContinuation<Value, any Error>) {
        self.continuation = Mutex(continuation)
    }
    func resume(_ result: Result<Value, any Error>) {
        continuation.withLock { $0.take() }?.resume(with: result)
    }
    deinit { continuation.withLock { $0.take() }?.resume(throwing: NetError.stopped) }
}

/// Held by the posted closure: if the loop drops that, whoever waits is told.
private final class Promised<Value: Sendable>: Sendable {
    let rendezvous: Rendezvous<Value>
    init(_ rendezvous: Rendezvous<Value>) { self.rendezvous = rendezvous }
    deinit { rendezvous.complete(.failure(NetError.stopped)) }
}

/// One result handed from the loop to a thread that waits for it, with a deadline.
///
private final class Rendezvous<Value: Sendable>: Sendable {
    /// Made for threads.
    nonisolated(unsafe) private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let result = Mutex<Result<Value, any Error>?>(nil)

    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// The first result counts.
    func complete(_ value: Result<Value, any Error>) {
        let isFirst = result.withLock { result in
            guard result == nil else { return false }
            result = value
            return true
        }
        if isFirst { sem_post(semaphore) }
    }

    func wait(_ limit: Duration) throws -> Value {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let total = Int64(deadline.tv_nsec) + min(limit.nanoseconds, 1_000_000_000_000_000)
        deadline.tv_sec += Int(total / 1_000_000_000)
        deadline.tv_nsec = Int(total % 1_000_000_000)
        while sem_timedwait(semaphore, &deadline) != 0 {
            guard errno == EINTR else { throw NetError.timedOut("waiting for the event loop") }
        }
        return try result.withLock { $0! /* set before sem_post */ }.get()
    }
}

/// Something that belongs to a loop, carried by those who may not touch it.
///
/// `@unchecked Sendable`: the value is reached through `value` only, which checks the thread, and
/// is released on the loop.
public final class LoopBound<Value>: @unchecked Sendable {
    public let loop: EventLoop
    private var stored: Value?

    /// On the loop.
    public init(_ value: Value, loop: EventLoop) {
        loop.preconditionOnLoop()
        self.loop = loop
        stored = value
    }

    /// On the loop.
    public var value: Value {
        loop.preconditionOnLoop()
        return stored!  // set at init, taken only by deinit
    }

    deinit {
        guard !loop.isOnLoop, let value = stored.take() else { return }
        let last = Unsent(value)
        loop.post { _ = last }
    }
}

/// On its way to the loop, where it is released; nobody else has it.
private struct Unsent<Value>: Sendable {
    nonisolated(unsafe) let value: Value
    init(_ value: Value) { self.value = value }
}
