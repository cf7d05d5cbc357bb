import MillraceBase

/// What will happen, in the order of time; what is due at one instant happens in the order in which
/// it was asked for. A binary heap of small keys, the events themselves in a table.
struct EventQueue {
    private struct Key {
        var time: Int64
        var order: Int64
        var slot: Int

        static func < (left: Key, right: Key) -> Bool {
            left.time < right.time || (left.time == right.time && left.order < right.order)
        }
    }

    private var heap: [Key] = []
    private var events: [Happening] = []
    private var free: [Int] = []
    private var nextOrder: Int64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    var nextTime: Instant? { heap.first.map { Instant(nanoseconds: $0.time) } }

    mutating func insert(_ event: Happening, at time: Instant) {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            events[slot] = event
        } else {
            slot = events.count
            events.append(event)
        }
        heap.append(Key(time: time.nanoseconds, order: nextOrder, slot: slot))
        nextOrder += 1
        siftUp(heap.count - 1)
    }

    mutating func popFirst() -> (time: Instant, event: Happening)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        let event = events[first.slot]
        events[first.slot] = .nothing
        free.append(first.slot)
        return (Instant(nanoseconds: first.time), event)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        let key = heap[child]
        while child > 0 {
            let parent = (child - 1) / 2
            guard key < heap[parent] else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = key
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        let key = heap[parent]
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < key else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = key
    }
}
