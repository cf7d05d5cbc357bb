import MillraceBase
import Testing

@testable import MillraceCore

/// Who fetches which piece from whom, until all have all.
@Suite struct BroadcastTrackerTests {
    private struct Run {
        var core = DriverCore()
        var effects = Effects()
        var underWay: [(executor: ExecutorID, source: BroadcastSource)] = []
        var fromDriver = 0
        var fetched: [Int: Set<Int>] = [:]
        var gone: [ExecutorID] = []
        var random = SplitMix64(seed: 5)

        mutating func handle(_ event: DriverEvent) {
            effects.removeAll()
            core.handle(event, now: .zero, into: &effects)
            for effect in effects.list {
                switch effect {
                case .fetchPieces(_, let sources, let executor):
                    for source in sources {
                        if source.executor == nil { fromDriver += 1 }
                        #expect(source.executor != executor)
                        if let holder = source.executor {
                            #expect(fetched[holder.rawValue]?.contains(source.piece) == true)
                        }
                        underWay.append((executor, source))
                    }
                case .broadcastGone(_, let executor): gone.append(executor)
                default: break
                }
            }
        }

        /// One fetch that is under way ends.
        mutating func step(_ outcome: BroadcastFetch.Outcome = .kept) {
            let place = Int.random(in: 0..<underWay.count, using: &random)
            let (executor, source) = underWay.remove(at: place)
            if outcome != .failed {
                fetched[executor.rawValue, default: []].insert(source.piece)
            }
            handle(
                .pieceFetched(
                    BroadcastFetch(
                        broadcast: BroadcastID(0), piece: source.piece, executor: executor,
                        outcome: outcome)))
        }
    }

    private static func run(executors: Int, pieces: Int, hosts: Int = 1) -> Run {
        var run = Run()
        for executor in 0..<executors {
            run.handle(
                .executorRegistered(
                    ExecutorID(executor), host: "host\(executor % hosts)", cores: 1))
        }
        run.handle(.broadcastRegistered(BroadcastID(0), pieces: pieces))
        for executor in 0..<executors {
            run.handle(.broadcastWanted(BroadcastID(0), by: ExecutorID(executor)))
        }
        return run
    }

    @Test(
        "the driver gives each piece once, however many executors read",
        arguments: [1, 2, 8, 64], [1, 25])
    func once(executors: Int, pieces: Int) {
        var run = Self.run(executors: executors, pieces: pieces, hosts: 3)
        while !run.underWay.isEmpty { run.step() }
        #expect(run.fromDriver == pieces)
        for executor in 0..<executors { #expect(run.fetched[executor]?.count == pieces) }
    }

    @Test("an executor that is lost while pieces spread costs only what it alone had")
    func lost() {
        var run = Self.run(executors: 8, pieces: 25)
        for _ in 0..<40 { run.step() }
        run.underWay.removeAll { $0.executor == ExecutorID(3) }
        run.fetched[3] = nil
        run.handle(.executorLost(ExecutorID(3), ExecutorLoss(reason: "killed")))
        while !run.underWay.isEmpty {
            let isLost = run.underWay.contains { $0.source.executor == ExecutorID(3) }
            if isLost {
                run.underWay.sort { left, _ in left.source.executor == ExecutorID(3) }
            }
            run.step()
        }
        for executor in 0..<8 where executor != 3 { #expect(run.fetched[executor]?.count == 25) }
        #expect(run.fromDriver <= 25 + 8)
    }

    @Test("a fetch that fails is made again from somebody else; one without room serves nobody")
    func failures() {
        var run = Self.run(executors: 4, pieces: 10)
        var steps = 0
        while !run.underWay.isEmpty {
            steps += 1
            run.step(steps % 5 == 0 ? .failed : steps % 7 == 0 ? .unkept : .kept)
        }
        for executor in 0..<4 { #expect(run.fetched[executor]?.count == 10) }
    }

    @Test("after unpersist it is fetched again; after destroy nobody gets it")
    func removal() {
        var run = Self.run(executors: 2, pieces: 4)
        while !run.underWay.isEmpty { run.step() }
        run.handle(.broadcastRemoved(BroadcastID(0), forever: false))
        run.fetched = [:]
        run.handle(.broadcastWanted(BroadcastID(0), by: ExecutorID(0)))
        while !run.underWay.isEmpty { run.step() }
        #expect(run.fetched[0]?.count == 4)
        #expect(run.fromDriver == 8)
        run.handle(.broadcastRemoved(BroadcastID(0), forever: true))
        run.handle(.broadcastWanted(BroadcastID(0), by: ExecutorID(1)))
        #expect(run.gone == [ExecutorID(1)])
    }
}
