import MillraceBase
import Testing

@testable import MillraceCore

/// Who keeps a query's state when executors come and go.
@Suite struct StateOwnersTests {
    private static func executors(_ cores: Int...) -> [ExecutorSlots] {
        cores.enumerated().map { ExecutorSlots(executor: ExecutorID($0), cores: $1) }
    }
    private static func balance(_ owners: [Int?], _ executors: [ExecutorSlots]) -> [Int] {
        StateOwners.balanced(owners.map { $0.map { [ExecutorID($0)] } ?? [] }, over: executors)
            .map { $0[0].rawValue }
    }

    @Test("an executor that joins gets its share, and nothing else moves")
    func joins() {
        #expect(Self.balance([0, 0, 0, 0], Self.executors(1, 1)) == [0, 0, 1, 1])
        #expect(Self.balance([0, 0, 1, 1], Self.executors(1, 1, 1)) == [0, 0, 1, 2])
        #expect(Self.balance([0, 1, 0, 1, 0, 1], Self.executors(1, 1, 2)) == [0, 1, 0, 2, 2, 2])
    }

    @Test("partitions of an executor that is gone are spread over the others")
    func leaves() {
        let left = Self.executors(1, 1, 1).filter { $0.executor != ExecutorID(1) }
        #expect(Self.balance([0, 1, 2, 0, 1, 2], left) == [0, 0, 2, 0, 2, 2])
    }

    @Test("what is balanced stays, whoever has one more")
    func stays() {
        #expect(Self.balance([1, 1, 0], Self.executors(1, 1)) == [1, 1, 0])
        #expect(Self.balance([0, 1, 2], Self.executors(4, 4, 4)) == [0, 1, 2])
        #expect(Self.balance([2], Self.executors(1, 1, 1)) == [2])
    }

    @Test("without executors nothing is known better")
    func nobody() {
        #expect(StateOwners.balanced([[ExecutorID(3)]], over: []) == [[ExecutorID(3)]])
        #expect(StateOwners.balanced([], over: Self.executors(1)).isEmpty)
    }

    @Test("shares differ from the exact ones by one at most, and balancing twice moves nothing")
    func properties() {
        for seed in 0..<500 {
            var random = SplitMix64(seed: UInt64(seed))
            func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
            let executors = (0..<1 + below(8)).map {
                ExecutorSlots(executor: ExecutorID($0 * 3), cores: 1 + below(4))
            }
            let owners = (0..<1 + below(40)).map { _ in
                below(5) == 0 ? [] : [ExecutorID(below(30))]
            }
            let balanced = StateOwners.balanced(owners, over: executors)
            let cores = executors.reduce(0) { $0 + $1.cores }
            for executor in executors {
                let count = balanced.count { $0 == [executor.executor] }
                let exact = Double(owners.count * executor.cores) / Double(cores)
                #expect(abs(Double(count) - exact) <= 1, "seed \(seed)")
            }
            #expect(StateOwners.balanced(balanced, over: executors) == balanced, "seed \(seed)")
        }
    }
}
