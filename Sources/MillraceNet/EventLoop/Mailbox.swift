import Synchronization

/// Messages from any thread to one loop, handed over in batches.
///
/// Posting appends under a lock and wakes the loop only when the mailbox was empty; the loop swaps
/// the whole batch out and gives it to `drain` once per tick. Bounded: a message above the limit is
/// refused, and the sender decides what that means.
///
/// `@unchecked Sendable`: `queue` is a Mutex; `drainBody` and `spare` are the loop's own.
public final class Mailbox<Message: Sendable>: Drainable, @unchecked Sendable {
    private struct Queue {
        var messages: [Message] = []
        var isScheduled = false
        var isClosed = false
    }

    public let loop: EventLoop
    public let limit: Int
    private let queue = Mutex(Queue())
    private var spare: [Message] = []
    private var drainBody: (([Message]) -> Void)?

    /// To be made on the loop, or before the loop is started. `drain` runs on the loop with all
    /// messages that have arrived, in order.
    public init(loop: EventLoop, limit: Int, drain: @escaping ([Message]) -> Void) {
        precondition(limit > 0, "a mailbox that takes nothing")
        precondition(loop.isOnLoop || loop.isIdle, "a mailbox is made on its loop")
        self.loop = loop
        self.limit = limit
        drainBody = drain
    }

    /// False when the mailbox is full or closed, or the loop has stopped: the message was not
    /// taken.
    @discardableResult
    public func post(_ message: Message) -> Bool {
        let (accepted, schedules) = queue.withLock { queue in
            guard queue.messages.count < limit, !queue.isClosed else { return (false, false) }
            queue.messages.append(message)
            let schedules = !queue.isScheduled
            queue.isScheduled = true
            return (true, schedules)
        }
        return schedules ? loop.offer(.drain(self)) : accepted
    }

    /// Messages that wait.
    public var count: Int { queue.withLock { $0.messages.count } }

    /// Loop only: what waits is dropped and nothing more is taken.
    public func close() {
        loop.preconditionOnLoop()
        queue.withLock { queue in
            queue.isClosed = true
            queue.messages = []
        }
        drainBody = nil
    }

    func drain() {
        queue.withLock { queue in
            swap(&queue.messages, &spare)
            queue.isScheduled = false
        }
        drainBody?(spare)
        spare.removeAll(keepingCapacity: true)
    }
}
