import MillraceBase
import MillraceCore
import Testing

@Suite struct GroupSizeTests {
    private func size(_ minimum: Int = 1, _ maximum: Int = 100) -> GroupSize {
        var settings = GroupSize.Settings()
        settings.minimum = minimum
        settings.maximum = maximum
        return GroupSize(settings)
    }

    /// A group whose batches spent so much of their time on other things than tasks.
    private func end(_ size: inout GroupSize, overhead percent: Int) {
        size.groupEnded(work: .milliseconds(100 - percent), total: .milliseconds(100))
    }

    @Test func `overhead above the upper bound doubles the group, up to the most`() {
        var size = size(1, 6)
        var sizes: [Int] = []
        for _ in 0..<4 {
            end(&size, overhead: 50)
            sizes.append(size.batches)
        }
        #expect(sizes == [2, 4, 6, 6])
    }

    @Test func `overhead below the lower bound shortens it by one, down to the least`() {
        var size = size(3)
        for _ in 0..<2 { end(&size, overhead: 50) }
        #expect(size.batches == 12)
        var sizes: [Int] = []
        for _ in 0..<14 {
            end(&size, overhead: 0)
            sizes.append(size.batches)
        }
        // The first ones only bring the smoothed share down.
        #expect(sizes == [24, 48, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37])
        for _ in 0..<100 { end(&size, overhead: 0) }
        #expect(size.batches == 3)
    }

    @Test func `between the bounds it stays`() {
        var size = size(7)
        for _ in 0..<10 { end(&size, overhead: 7) }
        #expect(size.batches == 7)
    }

    @Test func `one slow batch doesn't decide`() {
        var size = size(8)
        for _ in 0..<10 { end(&size, overhead: 7) }
        end(&size, overhead: 12)
        #expect(size.batches == 8)
    }

    @Test func `after a grant was taken back the next ones are short`() {
        var size = size(2)
        for _ in 0..<5 { end(&size, overhead: 50) }
        size.groupFailed()
        #expect(size.batches == 2)
    }

    @Test func `a group without time says nothing`() {
        var size = size()
        size.groupEnded(work: .zero, total: .zero)
        #expect(size.overhead == nil)
        #expect(size.batches == 1)
    }
}
