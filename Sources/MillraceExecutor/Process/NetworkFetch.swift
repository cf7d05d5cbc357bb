import Glibc
import MillraceBase
import MillraceNet
import Synchronization

/// Blocks on their way, handed from the loop to the task thread that waits.
///
/// `@unchecked Sendable`: `semaphore` is made for threads, the rest is under the mutex.
final class NetworkFetch: BlockFetch, @unchecked Sendable {
    private struct State {
        var blocks: [[UInt8]?]
        var missing: Int
        var error: BlockFetchError?
        var isDone = false
    }

    private let state: Mutex<State>
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let limit: Duration
    /// Called once, on any thread, when nobody waits any more for what has not come.
    private let abandoned: @Sendable (NetworkFetch) -> Void

    let sink: (any BlockSink)?

    init(
        _ count: Int, limit: Duration, sink: (any BlockSink)?,
        abandoned: @escaping @Sendable (NetworkFetch) -> Void
    ) {
        self.sink = sink
        state = Mutex(State(blocks: Array(repeating: nil, count: count), missing: count))
        self.limit = limit
        self.abandoned = abandoned
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    // MARK: On the loop

    /// Blocks that have not come; none when the fetch is over.
    var missing: [Int] {
        state.withLock { state in
            state.isDone ? [] : state.blocks.indices.filter { state.blocks[$0] == nil }
        }
    }

    func accept(_ bytes: [UInt8], at index: Int) {
        let isComplete = state.withLock { state in
            guard !state.isDone, state.blocks[index] == nil else { return false }
            state.blocks[index] = bytes
            state.missing -= 1
            state.isDone = state.missing == 0
            return state.isDone
        }
        if isComplete { sem_post(semaphore) }
    }

    /// The first failure counts.
    func fail(_ error: BlockFetchError) { _ = end(error) }

    private func end(_ error: BlockFetchError) -> Bool {
        let isFirst = state.withLock { state in
            guard !state.isDone else { return false }
            state.error = error
            state.isDone = true
            state.blocks = []
            return true
        }
        if isFirst { sem_post(semaphore) }
        return isFirst
    }

    // MARK: On the thread that wants the blocks

    func wait() throws -> [[UInt8]] {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = Int64(deadline.tv_nsec) + min(limit.nanoseconds, 1_000_000_000_000_000)
        deadline.tv_sec += Int(nanoseconds / 1_000_000_000)
        deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        while sem_timedwait(semaphore, &deadline) != 0 {
            if errno == EINTR { continue }
            abandon("no answer within \(limit)")
            break
        }
        return try state.withLock { state in
            if let error = state.error { throw error }
            return state.blocks.map { $0! }  // complete, because there is no error
        }
    }

    func cancel() { abandon("the task is wanted no more") }

    private func abandon(_ reason: String) {
        if end(BlockFetchError(index: 0, message: reason)) { abandoned(self) }
    }
}
