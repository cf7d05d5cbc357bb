/// Tasks on their way from the loop to the task threads: a queue that blocks its takers.
///
/// First in, first out. Bounded by the driver, which hands an executor a few tasks more than it has
/// slots and no more.
public final class WorkQueue<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var head = 0
        var sleepers = 0
        var isClosed = false

        mutating func pop() -> Item? {
            guard head < items.count else { return nil }
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
    }

    private let monitor = Monitor(State())

    public init() {}

    /// Adds items; wakes as many sleeping takers as there is work for.
    public func push(_ new: [Item]) {
        let wakes = monitor.withLock { state in
            state.items.append(contentsOf: new)
            return min(state.sleepers, state.items.count - state.head)
        }
        monitor.wake(wakes)
    }

    /// The next item; waits for one. Nil once the queue is closed and empty.
    public func pop() -> Item? {
        var isSleeper = false
        return monitor.wait { state -> Item?? in
            if isSleeper { state.sleepers -= 1 }
            isSleeper = false
            if let item = state.pop() { return .some(item) }
            if state.isClosed { return .some(nil) }
            state.sleepers += 1
            isSleeper = true
            return nil
        }
    }

    /// Takes out what `isMeant` says, before any taker gets it.
    func remove(where isMeant: (Item) -> Bool) -> [Item] {
        monitor.withLock { state in
            let removed = state.items[state.head...].filter(isMeant)
            if !removed.isEmpty {
                state.items = state.items[state.head...].filter { !isMeant($0) }
                state.head = 0
            }
            return removed
        }
    }

    /// Takers get what is still there, then nil.
    public func close(discarding: Bool) {
        monitor.withLock { state in
            state.isClosed = true
            if discarding {
                state.items.removeAll()
                state.head = 0
            }
        }
        monitor.wakeAll()
    }
}
