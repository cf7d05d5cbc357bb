import CLinux
import Glibc
import MillraceBase

/// The loop's timers: a heap by deadline over a table of bodies, and the timerfd that wakes the
/// loop.
///
/// A cancelled timer leaves its heap entry behind, which is dropped when it surfaces (or when such
/// entries are the majority). The timerfd is re-armed only when the earliest deadline moves
/// forward: a wake-up for a timer that was cancelled costs less than a system call for each cancel.
struct TimerQueue: ~Copyable {
    private struct Entry {
        var deadline: Instant
        var slot: Int
        var generation: UInt32
    }
    private struct Slot {
        var generation: UInt32
        var body: (() -> Void)?
    }

    let descriptor: FileDescriptor
    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var armed = Instant.distantFuture

    init() throws(NetError) {
        let raw = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard raw >= 0 else { throw NetError.last("timerfd_create") }
        descriptor = FileDescriptor(owning: raw)
    }

    /// Timers that wait.
    var count: Int { slots.count - free.count }

    mutating func insert(deadline: Instant, _ body: @escaping () -> Void) -> TimerToken {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = slots.count
            slots.append(Slot(generation: 0, body: nil))
        }
        slots[slot].generation &+= 1
        slots[slot].body = body
        let entry = Entry(deadline: deadline, slot: slot, generation: slots[slot].generation)
        push(entry)
        return TimerToken(slot: slot, generation: entry.generation)
    }

    mutating func cancel(_ token: TimerToken) {
        guard slots[token.slot].generation == token.generation, slots[token.slot].body != nil else {
            return
        }
        release(token.slot)
        if heap.count > 64, heap.count > 2 * count { compact() }
    }

    /// The body of a timer that is due, taken out; nil when none is.
    mutating func popDue(_ now: Instant) -> (() -> Void)? {
        while let first = heap.first, first.deadline <= now {
            popFirst()
            guard slots[first.slot].generation == first.generation,
                let body = slots[first.slot].body
            else { continue }
            release(first.slot)
            return body
        }
        return nil
    }

    /// Arms the timerfd for the earliest deadline. Called once per tick, before waiting.
    mutating func arm() {
        while let first = heap.first,
            slots[first.slot].generation != first.generation || slots[first.slot].body == nil
        {
            popFirst()
        }
        guard let first = heap.first, first.deadline < armed else { return }
        armed = first.deadline
        let nanoseconds = max(1, armed.nanoseconds)
        var value = itimerspec()
        value.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
        value.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        timerfd_settime(descriptor.raw, Int32(TFD_TIMER_ABSTIME), &value, nil)
    }

    /// The timerfd fired: it is not armed any more.
    mutating func acknowledge() {
        var expirations: UInt64 = 0
        _ = Glibc.read(descriptor.raw, &expirations, 8)
        armed = .distantFuture
    }

    mutating func removeAll() {
        heap.removeAll()
        slots.removeAll()
        free.removeAll()
    }

    private mutating func release(_ slot: Int) {
        slots[slot].body = nil
        slots[slot].generation &+= 1
        free.append(slot)
    }

    private mutating func compact() {
        let live = heap.filter { slots[$0.slot].generation == $0.generation }
        heap.removeAll(keepingCapacity: true)
        for entry in live { push(entry) }
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func popFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].deadline < heap[smallest].deadline {
                smallest = child
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
