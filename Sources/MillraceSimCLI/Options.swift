import MillraceBase
import MillraceCore

/// What is asked of `millrace-sim`.
struct Options {
    static let help = """
        usage: millrace-sim [--seeds N [--first N] | --seed N [--trace]] [--canary NAME]
                            [--probe NAME]

        Lives through bad days of a simulated cluster: the real scheduler and wire over a network,
        disks and executors that fail as the seed says. Prints how many steps a second that were,
        which rare paths were taken, and the seeds of days that went wrong (exit 1). From 1000 days
        on, a rare path that was never taken is a failure too.

          --seeds N      so many days (1000 unless given)
          --first N      the seed of the first (0 unless given)
          --seed N       the day N alone
          --trace        one line for each thing that happens
          --canary NAME  with a bug that must be found: \(canaries)
          --probe NAME   says which days take that rare path
          --help, -h
        """

    /// So many days must take every rare path.
    static let seedsForProbes = 1_000

    private static let canaries = Canary.allCases.map(\.rawValue).joined(separator: ", ")

    var seeds: Range<UInt64> = 0..<1_000
    var isTrace = false
    var isHelp = false
    var canary: Canary?
    var probe: CodeProbe?

    init(_ arguments: [String]) throws(UsageError) {
        var reader = ArgumentReader(
            arguments,
            flags: [
                "--seeds", "--first", "--seed", "--trace", "--canary", "--probe", "--help", "-h",
            ])
        var isOneSeed = false
        var first: UInt64?
        var count: UInt64?
        while let flag = try reader.nextFlag() {
            switch flag {
            case "--seeds": count = UInt64(try reader.integer(in: 1...1_000_000_000))
            case "--first": first = UInt64(try reader.integer(in: 0...Int.max - 1_000_000_000))
            case "--seed":
                let seed = UInt64(try reader.integer(in: 0...Int.max - 1))
                seeds = seed..<seed + 1
                isOneSeed = true
            case "--trace": isTrace = true
            case "--canary":
                let name = try reader.value()
                guard let known = Canary(rawValue: name) else {
                    throw UsageError(
                        "no canary is called '\(name.prefix(100))'; there are \(Self.canaries)")
                }
                canary = known
            case "--probe":
                let name = try reader.value()
                probe = CodeProbe.allCases.first { "\($0)" == name }
                guard probe != nil else {
                    throw UsageError(
                        "no probe is called '\(name.prefix(100))'; --seeds 1 lists them")
                }
            case "--help", "-h": isHelp = true
            default: throw reader.unexpected()
            }
        }
        guard reader.rest.isEmpty else {
            throw UsageError("'\(reader.rest[0].prefix(100))' is no flag; see --help")
        }
        if isOneSeed, first != nil || count != nil {
            throw UsageError("--seed is one day, --seeds and --first are for many")
        }
        if !isOneSeed { seeds = (first ?? 0)..<(first ?? 0) + (count ?? 1_000) }
        if isTrace, !isOneSeed { throw UsageError("--trace needs --seed N") }
    }
}
