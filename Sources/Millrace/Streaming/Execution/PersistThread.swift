import MillraceExecutor

/// Writes what must be durable while the query goes on: one piece after the other, in the order in
/// which they came.
final class PersistThread: Sendable {
    /// False: it could not be done, and nothing that comes after it may be.
    typealias Write = @Sendable () -> Bool

    private let queue: WorkQueue<Write>
    private let thread: TaskThread

    /// Throws when the system has no more threads.
    init(name: String) throws {
        let queue = WorkQueue<Write>()
        self.queue = queue
        thread = try TaskThread(name: name) {
            var canWrite = true
            while let write = queue.pop() { if canWrite { canWrite = write() } }
        }
    }

    /// Any thread; nothing after `close`.
    func post(_ write: @escaping Write) { queue.push([write]) }

    /// Returns when all that was posted is written, and the thread is gone.
    func close() {
        queue.close(discarding: false)
        thread.join()
    }
}
