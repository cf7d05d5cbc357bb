import Testing

@testable import MillraceCore

@Suite struct MedianHeapTests {
    @Test func `the median is that of the sorted numbers`() {
        var random = PRNG(seed: 7)
        var heap = MedianHeap()
        var values: [Int64] = []
        #expect(heap.median == 0)
        for _ in 0..<500 {
            let value = Int64(random.below(100))
            heap.insert(value)
            values.append(value)
            values.sort()
            let low = values[(values.count - 1) / 2]
            let high = values[values.count / 2]
            #expect(heap.median == low + (high - low) / 2)
            #expect(heap.count == values.count)
        }
    }
}
