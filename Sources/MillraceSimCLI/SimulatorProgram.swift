import Glibc
import MillraceBase
import MillraceCore
import MillraceSim

/// `millrace-sim`: bad days of a cluster by the thousand, each from its seed.
@main enum SimulatorProgram {
    static func main() {
        do throws(UsageError) {
            Log.configure(level: .off)
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            exit(options.isHelp ? help() : options.isTrace ? trace(options) : run(options))
        } catch {
            complain(error.message)
            exit(ExitCode.misuse)
        }
    }

    private static func help() -> Int32 {
        print(Options.help)
        return ExitCode.success
    }

    /// One day, line by line.
    private static func trace(_ options: Options) -> Int32 {
        let outcome = Simulation(seed: options.seeds.lowerBound, canary: options.canary) {
            print($0)
        }.run()
        guard let problem = outcome.problem else { return ExitCode.success }
        complain("seed \(outcome.seed): \(problem)")
        return ExitCode.failure
    }

    /// After so many bad seeds there is enough to look at.
    private static let failureLimit = 10

    private static func run(_ options: Options) -> Int32 {
        CodeProbes.begin()
        let clock = ContinuousClock()
        let start = clock.now
        var sum = Sum()
        var failures = 0
        for seed in options.seeds {
            let before = options.probe.map { CodeProbes.hits(of: $0) } ?? 0
            let outcome = Simulation(seed: seed, canary: options.canary).run()
            sum.add(outcome)
            if let probe = options.probe, CodeProbes.hits(of: probe) > before {
                print("seed \(seed) takes \(probe)")
            }
            guard let problem = outcome.problem else { continue }
            print("seed \(seed) FAILED: \(problem)")
            if failures == 0 { print("replay it: millrace-sim --seed \(seed) --trace") }
            failures += 1
            if failures == failureLimit { break }
        }
        print(sum.text(clock.now - start))
        guard failures == 0 else { return ExitCode.failure }
        return probes(mustAllBeHit: options.seeds.count >= Options.seedsForProbes)
    }

    /// How often each rare path was taken.
    private static func probes(mustAllBeHit: Bool) -> Int32 {
        let missed = CodeProbe.allCases.filter { CodeProbes.hits(of: $0) == 0 }
        print("probes hit: \(CodeProbe.count - missed.count) of \(CodeProbe.count)")
        let width = CodeProbe.allCases.map { "\($0)".count }.max() ?? 0
        for probe in CodeProbe.allCases {
            let padding = String(repeating: " ", count: width - "\(probe)".count)
            print("  \(probe)\(padding)  \(CodeProbes.hits(of: probe))")
        }
        guard !missed.isEmpty, mustAllBeHit else { return ExitCode.success }
        complain("never seen: \(missed.map { "\($0)" }.joined(separator: ", "))")
        return ExitCode.failure
    }

    private static func complain(_ message: String) {
        StandardError.line("millrace-sim: \(message)")
    }
}

/// What many days were like together.
struct Sum {
    var days = 0
    var steps = 0
    var jobs = 0
    var succeeded = 0
    var simulated = Duration.zero

    mutating func add(_ outcome: Simulation.Outcome) {
        days += 1
        steps += outcome.steps
        jobs += outcome.jobs
        succeeded += outcome.succeededJobs
        simulated += outcome.duration
    }

    func text(_ elapsed: Duration) -> String {
        let seconds = max(elapsed.milliseconds / 1_000, 1e-9)
        return """
            \(days) days, \(jobs) jobs (\(succeeded) succeeded), \(steps) steps in \
            \(Int(seconds * 1_000)) ms: \(Int(Double(days) / seconds)) days/s, \
            \(Int(Double(steps) / seconds)) steps/s, simulated \
            \(Int(simulated.milliseconds / 1_000)) s
            """
    }
}
