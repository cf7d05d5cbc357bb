import Foundation
import Millrace
import MillraceBase

/// `millrace-bench NAME [--option value]… --json`: one JSON line a benchmark, with the peers'
/// names, work and keys.
@main struct BenchmarkProgram: MillraceApp {
    static let help = """
        usage: millrace-bench NAME [--master URL] [--option value]... --json
          sched       --tasks 10000 --jobs 1000 --reps 4 --warm 300
          microbatch  --kind agg|stateless --partitions 2 --rows 1000 --keys 100
                      --batches 200 --warm 50 --srcparts 2 --ckptdir DIR --no-groups
          wordcount   --path FILE | --mb 500; --parts 2 --reps 4
          shuffle     --api rasp|sortByKey --records 10000000 --mparts 8 --parts 8 --reps 3
          groupby     --rows 100000000 --keys 1000000 --mparts 8 --parts 8 --reps 4
          broadcast   --mb 100 --reps 6 --fill 1|0 --executors 2
          sim-scale   --executors 10,100,1000,10000 --cores 4 --tasks 1000000 --batch 8
                      --scenarios plain,jobs,locality,fair,speculation,exclusion,loss
        sim-scale starts no cluster: it asks the scheduler alone. The others:
        NAME's work and the keys of its line are those of bench/peers; with --no-groups each
        micro-batch is scheduled alone. --master is
        local-cluster[2,1,1024] unless given. The last three also measure what the machine can do
        at all (`floor`) unless --floor 0 is given.
        """

    static func run(_ session: MillraceSession, _ arguments: [String]) async throws {
        let options = try Options(arguments)
        let watch = MachineWatch()
        switch options.bench {
        case "sched":
            try emit(
                options, session, watch, try await SchedulerBenchmark.run(session.context, options))
        case "microbatch":
            try emit(options, session, watch, try await MicroBatchBenchmark.run(session, options))
        case "wordcount":
            try emit(
                options, session, watch, try await WordCountBenchmark.run(session.context, options))
        case "shuffle":
            try emit(
                options, session, watch, try await ShuffleBenchmark.run(session.context, options))
        case "groupby":
            try emit(
                options, session, watch, try await GroupByBenchmark.run(session.context, options))
        case "broadcast":
            try emit(
                options, session, watch, try await BroadcastBenchmark.run(session.context, options))
        default: throw MillraceError(.invalidArgument, "no benchmark \(options.bench); see --help")
        }
    }

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") || arguments.contains("-h") {
            print(help)
            exit(0)
        }
        if arguments.first == "sim-scale" { runWithoutCluster(arguments) }
        var settings = [
            "millrace.master": value("master", arguments) ?? "local-cluster[2,1,1024]",
            "millrace.shuffle.partitions": value("partitions", arguments) ?? "2",
        ]
        if arguments.contains("--no-groups") {
            settings["millrace.streaming.groupScheduling.enabled"] = "false"
        }
        runApplication(settings: settings, arguments)
    }

    private static func runWithoutCluster(_ arguments: [String]) -> Never {
        do {
            let options = try Options(arguments)
            let watch = MachineWatch()
            try emit(options, master: nil, watch, try SimScaleBenchmark.run(options))
            exit(ExitCode.success)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            let isMisuse = (error as? MillraceError)?.code == .invalidArgument
            exit(isMisuse ? ExitCode.misuse : ExitCode.failure)
        }
    }

    private static func value(_ name: String, _ arguments: [String]) -> String? {
        guard let index = arguments.firstIndex(of: "--" + name), index + 1 < arguments.count else {
            return nil
        }
        return arguments[index + 1]
    }

    /// The line: who, what, the benchmark's own keys, the machine.
    private static func emit(
        _ options: Options, _ session: MillraceSession, _ watch: MachineWatch,
        _ result: some Encodable
    ) throws {
        try emit(options, master: session.conf.application.master.confText, watch, result)
    }

    private static func emit(
        _ options: Options, master: String?, _ watch: MachineWatch, _ result: some Encodable
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        func object(_ value: some Encodable) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: encoder.encode(value)) as? [String: Any] ?? [:]
        }
        var line = try object(result)
        line["peer"] = "millrace"
        line["bench"] = options.bench
        line["master"] = master
        line["machine"] = try object(watch.report())
        let data = try JSONSerialization.data(
            withJSONObject: line, options: [.sortedKeys, .withoutEscapingSlashes])
        print(String(decoding: data, as: UTF8.self))
    }
}
