import Foundation
import MillraceBase
import MillraceCore
import MillraceSim
import Testing

/// Bad days by the hundred. `MILLRACE_SEEDS=5000` lives through more of them; a failure names its
/// seed, and `millrace-sim --seed N --trace` tells its story.
@Suite struct BadDayTests {
    static let seeds = Int(ProcessInfo.processInfo.environment["MILLRACE_SEEDS"] ?? "") ?? 100

    init() { Log.configure(level: .off) }

    @Test func `every job ends once with the right result, whatever fails`() {
        var jobs = 0
        var succeeded = 0
        for seed in 0..<Self.seeds {
            let outcome = Simulation(seed: UInt64(seed)).run()
            #expect(outcome.problem == nil, "seed \(seed)")
            jobs += outcome.jobs
            succeeded += outcome.succeededJobs
        }
        // Otherwise the faults were so many, or so few, that nothing was tested.
        #expect(succeeded > jobs / 4)
        #expect(succeeded < jobs)
    }

    @Test func `a seed tells the same story twice`() {
        var stories: [[String]] = [[], []]
        for telling in stories.indices {
            _ = Simulation(seed: 7) { stories[telling].append($0) }.run()
        }
        #expect(stories[0] == stories[1])
        #expect(stories[0].count > 50)
    }

    @Test(arguments: Canary.allCases)
    func `a bug that breaks exactly-once is found`(_ canary: Canary) {
        let finder = (0..<2_000).first { seed in
            Simulation(seed: UInt64(seed), canary: canary).run().problem != nil
        }
        #expect(finder != nil, "\(canary.rawValue) sings unheard")
    }
}
