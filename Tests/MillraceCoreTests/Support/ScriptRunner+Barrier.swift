import MillraceBase

@testable import MillraceCore

/// Barrier stages in scripts.
///
///     job 0 chain=2,3 shuffles=0 barrier=0     the first of its RDDs is made by barrier()
///     job 0 union=2,2 barrier=0                two RDDs in one stage; also zip=2,2
///     set barrier-check=15s barrier-failures=2 sync-timeout=10s
///     barrier 0 1 epoch=0                      the tasks call barrier(); also on=1
///     gather 0 epoch=0 text=a                  the task calls allGather("a")
///     places 0.0                               where the tasks of the stage attempt run
extension ScriptRunner {
    mutating func configureBarrier(_ key: String, _ value: String, _ arguments: Arguments) throws {
        switch key {
        case "barrier-check": settings.barrier.checkInterval = try arguments.duration(value)
        case "barrier-failures": settings.barrier.maxCheckFailures = Int(value) ?? 0
        case "max-gathered": settings.barrier.maxGatheredBytes = Int(value) ?? 0
        case "sync-timeout": settings.barrier.syncTimeout = try arguments.duration(value)
        default: throw Problem(description: "no setting is called \(key)")
        }
    }

    mutating func performOnBarriers(_ arguments: Arguments) throws {
        if arguments.name == "places" { return try showPlaces(arguments) }
        for word in arguments.words {
            let task = TaskID(try arguments.integer(of: word))
            guard let executor = launched[task]?.executor else {
                throw Problem(description: "\(task) was never launched")
            }
            handle(
                .barrierReached(
                    try arguments.integer("on").map { ExecutorID($0) } ?? executor,
                    BarrierRequest(
                        task: task, epoch: try arguments.integer("epoch") ?? 0,
                        kind: arguments.name == "gather" ? .allGather : .barrier,
                        message: arguments["text"] ?? "")))
        }
    }

    private mutating func showPlaces(_ arguments: Arguments) throws {
        let parts = (arguments.words.first ?? "").split(separator: ".").compactMap { Int($0) }
        guard parts.count == 2 else { throw Problem(description: "places STAGE.ATTEMPT") }
        let setup = core.setup(of: StageID(parts[0]), attempt: parts[1])
        output.append(
            "executors "
                + (setup?.barrierExecutors.map { "\($0.rawValue)" } ?? []).joined(separator: " "))
    }
}

extension BarrierDecision {
    func line(on executor: ExecutorID) -> String {
        let who = "\(tasks.map { "\($0.rawValue)" }.joined(separator: " ")) on \(executor.rawValue)"
        switch outcome {
        case .passed(let messages):
            return "barrier \(epoch) passed by \(who)"
                + (messages.isEmpty ? "" : " with \(messages.joined(separator: ", "))")
        case .failed(let reason): return "barrier \(epoch) failed for \(who): \(reason)"
        }
    }
}
