import MillraceBase
import MillraceCore

/// Effects as a person reads them, one line each.
extension Effects {
    var lines: [String] { list.map(line) }

    private func line(_ effect: Effect) -> String {
        switch effect {
        case .launch(let executor, let range): return line(launches[range], on: executor)
        case .grant(let grant):
            let stages = grant.stages.map { stage in
                stage.executors.map { "\($0.rawValue)" }.joined(separator: ",")
            }
            return "\(grant.id) for \(grant.batches) batches: \(stages.joined(separator: " -> "))"
        case .runBatch(let batch):
            let inputs = batch.inputs.isEmpty ? "" : " inputs \(batch.inputs)"
            let shuffles = batch.shuffles.map { "\($0.rawValue)" }.joined(separator: ",")
            return """
                run \(batch.job) under \(batch.grant): from \(batch.firstStage), \
                \(batch.firstTask), shuffles [\(shuffles)]\(inputs)
                """
        case .endGrant(let grant, let executors):
            return "end \(grant) on \(executors.map { "\($0.rawValue)" }.joined(separator: ","))"
        case .revokeGrant(let grant, let executors):
            return "revoke \(grant) on \(executors.map { "\($0.rawValue)" }.joined(separator: ","))"
        case .tellMapOutputs(let executor, let outputs):
            let shuffles = outputs.map { "\($0.shuffle)" }.joined(separator: ", ")
            return "tell executor \(executor.rawValue) the outputs of \(shuffles)"
        case .kill(let executor, let task, let reason):
            return "kill \(task.rawValue) on \(executor.rawValue): \(reason)"
        case .taskResult(let job, let index, let bytes):
            return "\(job) result \(index): \(String(decoding: bytes, as: UTF8.self))"
        case .taskMetrics(let job, let stage, let partition, _, let metrics):
            let values = metrics.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            return "\(job) \(stage) partition \(partition) metrics: \(values)"
        case .accumulators(let change): return line(change)
        case .jobSucceeded(let job): return "\(job) succeeded"
        case .jobFailed(let job, let failure):
            return "\(job) failed: \(oneLine("\(failure)"))"
        case .stageStarted(let job, let stage, let attempt, let tasks):
            return "\(stage).\(attempt) of \(job) started: \(tasks) tasks"
        case .stageEnded(let summary):
            return """
                \(summary.stage) ended: \(summary.succeeded ? "complete" : "incomplete") after \
                \(summary.tasks) tasks in \(summary.attempts) attempts
                """
        case .removeShuffle(let shuffle): return "remove \(shuffle)"
        case .fetchPieces(let id, let sources, let executor):
            let pieces = sources.map { source in
                "\(source.piece) from \(source.executor.map { "\($0.rawValue)" } ?? "driver")"
            }
            return "\(executor) fetches of \(id): \(pieces.joined(separator: ", "))"
        case .broadcastGone(let id, let executor): return "\(id) is gone, says \(executor)"
        case .removeBroadcast(let id): return "remove \(id)"
        case .removeRDD(let rdd): return "remove \(rdd)"
        case .copyBlock(let copy, let target):
            return "copy rdd_\(copy.rdd.rawValue)_\(copy.partition) of \(copy.from) to \(target)"
        case .dismissExecutor(let executor, let loss): return "dismiss \(executor): \(loss.reason)"
        case .decommissionExecutor(let executor, let reason):
            return "decommission \(executor): \(reason)"
        case .grantedRunTime(let job, let time): return line(time, of: job)
        case .executorDrained(let executor): return "\(executor) is drained"
        case .releaseExecutor(let executor, let reason): return "release \(executor): \(reason)"
        case .moveOutput(let move): return line(move)
        case .finalizeMerge(let shuffle, let plan, let hosts):
            return "finalize merge \(plan.merge) of \(shuffle) on \(hosts.joined(separator: ", "))"
        case .requestExecutors(let total): return "request \(total) executors"
        case .commitDecided(_, let task, let granted):
            return "\(task) \(granted ? "may commit" : "may not commit")"
        case .barrierDecided(let executor, let decision): return decision.line(on: executor)
        case .armTimer(let instant): return "timer at \(instant.nanoseconds / 1_000_000) ms"
        case .notice(let notice): return "\(notice.level.name): \(notice)"
        }
    }
}

extension Effects {
    /// A script has one for an effect, however many the message has.
    private func oneLine(_ message: String) -> String {
        message.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " / ")
    }

    private func line(_ tasks: ArraySlice<TaskDescription>, on executor: ExecutorID) -> String {
        let texts = tasks.map { task in
            let retry = task.attempt == 0 ? "" : "#\(task.attempt)"
            let input = task.input.isEmpty ? "" : " input \(task.input)"
            let stage = "\(task.stage.rawValue).\(task.stageAttempt)"
            return "\(task.id.rawValue)=\(stage)/\(task.partition)\(retry)\(input)"
        }
        return "launch on \(executor.rawValue): \(texts.joined(separator: " "))"
    }

    private func line(_ move: OutputMove) -> String {
        """
        move map \(move.mapIndex) of \(move.shuffle) from \(move.from.rawValue) to \
        \(move.to.rawValue)
        """
    }

    private func line(_ runTime: Duration, of job: JobID) -> String {
        "\(job) took \(runTime.nanoseconds / 1_000) us of its granted tasks"
    }

    private func line(_ change: AccumulatorChange) -> String {
        switch change {
        case .contributed(let origin, let unit, let stage, let updates):
            "\(origin) unit \(unit) contributes \(updates.text) by \(stage)"
        case .settled(let origin): "\(origin) is settled"
        case .retracted(let origin): "\(origin) is retracted"
        case .failed(let updates): "a failed task contributes \(updates.text)"
        case .partial(let origin, let unit, let task, let updates):
            "\(origin) unit \(unit) has \(updates.text) so far by \(task)"
        case .partialEnded(let origin, let unit, let task):
            "\(origin) unit \(unit) ended by \(task)"
        }
    }
}
