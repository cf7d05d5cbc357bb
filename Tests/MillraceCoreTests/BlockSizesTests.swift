import Testing

@testable import MillraceCore

@Suite struct BlockSizesTests {
    @Test func `small sizes are exact`() {
        let sizes = BlockSizes(0...10)
        #expect((0...10).allSatisfy { sizes[$0] == $0 })
    }

    @Test func `a size is never too small and at most a tenth too large`() {
        var size = 1
        while size < 50_000_000_000 {
            let rounded = BlockSizes([size])[0]
            #expect(rounded >= size)
            #expect(rounded <= size + size / 10 + 1)
            size += size / 7 + 1
        }
    }

    @Test func `encoding what was decoded changes nothing`() {
        let all = BlockSizes(codes: Array(0...255))
        #expect(BlockSizes((0..<256).map { all[$0] }) == all)
    }

    @Test func `absurd sizes are bounded`() {
        #expect(BlockSizes([-1])[0] == 0)
        #expect(BlockSizes([.max]).codes == [255])
    }
}
