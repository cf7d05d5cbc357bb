/// The median of numbers that come one after the other: the smaller half in a heap whose top is
/// its largest, the larger half in one whose top is its smallest. O(log n) a number. Spark's
/// MedianHeap.
struct MedianHeap: Sendable {
    /// Negated, so that both are heaps of the smallest.
    private var lower: [Int64] = []
    private var upper: [Int64] = []

    var count: Int { lower.count + upper.count }

    /// 0 without numbers; between the middle two if they're an even number.
    var median: Int64 {
        guard let low = lower.first.map({ -$0 }) else { return 0 }
        return lower.count > upper.count ? low : low + (upper[0] - low) / 2
    }

    mutating func insert(_ value: Int64) {
        if let low = lower.first, value > -low {
            MedianHeap.push(value, to: &upper)
        } else {
            MedianHeap.push(-value, to: &lower)
        }
        if lower.count > upper.count + 1 { MedianHeap.push(-MedianHeap.pop(&lower), to: &upper) }
        if upper.count > lower.count { MedianHeap.push(-MedianHeap.pop(&upper), to: &lower) }
    }

    private static func push(_ value: Int64, to heap: inout [Int64]) {
        heap.append(value)
        var place = heap.count - 1
        while place > 0, heap[place] < heap[(place - 1) / 2] {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private static func pop(_ heap: inout [Int64]) -> Int64 {
        let top = heap[0]
        let last = heap.removeLast()
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if heap[child] < heap[least] { least = child }
            }
            if least == place { return top }
            heap.swapAt(place, least)
            place = least
        }
    }
}
