import Foundation
import Testing

@testable import MillraceCore

/// Random days in a cluster's life. `MILLRACE_SEEDS=5000` runs more of them; a failure names its
/// seed.
@Suite struct MiniSimulationTests {
    static let seeds = Int(ProcessInfo.processInfo.environment["MILLRACE_SEEDS"] ?? "") ?? 100

    @Test func `every job ends once, with every result once, whatever fails`() {
        var succeeded = 0
        var jobs = 0
        var seen: [String: Int] = [:]
        for seed in 0..<MiniSimulationTests.seeds {
            var simulation = MiniSimulation(seed: UInt64(seed))
            simulation.run(jobs: 12)
            let kind = simulation.core.settings.merge == nil ? "" : ", merging"
            #expect(
                simulation.problems.isEmpty,
                "seed \(seed)\(kind): \(simulation.problems.prefix(5))")
            jobs += simulation.ended.count
            succeeded += simulation.ended.values.count { $0 }
            seen.merge(simulation.seen, uniquingKeysWith: +)
        }
        print("simulated \(jobs) jobs, \(succeeded) succeeded: \(seen.sorted { $0.key < $1.key })")
        // Otherwise the faults were so many, or so few, that nothing was tested.
        #expect(succeeded > jobs / 4)
        #expect(succeeded < jobs)
    }

    @Test func `the same seed gives the same life`() {
        var first = MiniSimulation(seed: 42)
        var second = MiniSimulation(seed: 42)
        first.run(jobs: 10)
        second.run(jobs: 10)
        #expect(first.steps == second.steps)
        #expect(first.ended == second.ended)
    }
}
