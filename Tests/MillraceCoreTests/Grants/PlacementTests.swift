import MillraceBase
import Testing

@testable import MillraceCore

@Suite struct PlacementTests {
    private func placement(_ cores: [Int]) -> Placement {
        Placement(
            cores.enumerated().map { Placement.Candidate(executor: ExecutorID($0), cores: $1) })
    }

    private func place(
        _ placement: inout Placement, _ count: Int, preferred: [[Int]] = []
    ) -> [Int] {
        placement.place(count, preferred: preferred.map { $0.map { ExecutorID($0) } })
            .map(\.rawValue)
    }

    @Test func `tasks are dealt out, one to each free core in turn`() {
        var even = placement([1, 1, 1])
        #expect(place(&even, 5) == [0, 1, 2, 0, 1])
        var uneven = placement([1, 3])
        #expect(place(&uneven, 4) == [0, 1, 1, 1])
        #expect(place(&uneven, 8) == [0, 1, 1, 1, 0, 1, 1, 1])
    }

    @Test func `what one stage leaves out the next one begins with`() {
        var placement = placement([1, 1, 1])
        #expect(place(&placement, 2) == [0, 1])
        #expect(place(&placement, 2) == [2, 0])
    }

    @Test func `a partition stays where it is preferred, up to a share`() {
        var placement = placement([1, 1])
        #expect(place(&placement, 4, preferred: [[1], [1], [1], [1]]) == [1, 1, 0, 0])
        var other = self.placement([1, 1])
        #expect(place(&other, 3, preferred: [[1], [0], []]) == [1, 0, 0])
    }

    @Test func `who isn't there is not preferred`() {
        var placement = placement([1, 1])
        #expect(place(&placement, 2, preferred: [[7], [7, 1]]) == [0, 1])
    }
}
