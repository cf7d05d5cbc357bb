import Testing

@testable import MillraceCore

@Suite struct FairOrderTests {
    /// Spark's FairSchedulingAlgorithm, one rule each.
    @Test func `needy ones come first, then the lighter, then by name`() {
        func rank(_ running: Int, minShare: Int = 0, weight: Int = 1, name: Int = 0) -> FairRank {
            FairRank(running: running, minShare: minShare, weight: weight, name: name)
        }
        #expect(rank(3, minShare: 4, name: 9) < rank(0))
        #expect(rank(1, minShare: 4) < rank(1, minShare: 2))
        #expect(rank(1, minShare: 2, weight: 1) < rank(2, minShare: 3, weight: 100))
        #expect(rank(3, weight: 3) < rank(2))
        #expect(rank(2, weight: 2, name: 1) < rank(1, name: 2))
        #expect(rank(4, minShare: 4) > rank(3))
    }

    @Test func `the first is always the least, whatever comes, changes and goes`() {
        var random = PRNG(seed: 1)
        var order = FairOrder()
        var model: [Int: FairRank] = [:]
        for _ in 0..<3_000 {
            let id = random.below(40)
            let rank = FairRank(
                running: random.below(6), minShare: random.below(3), weight: 1 + random.below(2),
                name: id)
            switch random.below(4) {
            case 0:
                order.remove(id)
                model[id] = nil
            case 1:
                order.update(id, rank)
                if model[id] != nil { model[id] = rank }
            default:
                if model[id] == nil {
                    order.insert(id, rank)
                    model[id] = rank
                }
            }
            #expect(order.count == model.count)
            #expect(order.first?.id == model.min { $0.value < $1.value }?.key)
            #expect(order.contains(id) == (model[id] != nil))
        }
    }
}
