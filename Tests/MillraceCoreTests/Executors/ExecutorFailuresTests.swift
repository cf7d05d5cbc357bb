import MillraceBase
import Testing

@testable import MillraceCore

@Suite struct ExecutorFailuresTests {
    @Test func allCountForEver() {
        var failures = ExecutorFailures(validity: nil)
        #expect((0..<3).map { failures.note(at: .zero + .seconds($0 * 1_000_000)) } == [1, 2, 3])
    }

    @Test func withAnIntervalOnlyThoseWithinItCount() {
        var failures = ExecutorFailures(validity: .seconds(60))
        let counts = [0, 30, 59, 60, 90, 200].map { failures.note(at: .zero + .seconds($0)) }
        #expect(counts == [1, 2, 3, 3, 3, 1])
    }
}
