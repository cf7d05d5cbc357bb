import MillraceBase
import MillraceCore
import MillraceWire
import Synchronization

/// One attempt on its thread, from its context to the end that is reported.
extension ExecutorRuntime {
    func run(_ work: QueuedTask) {
        let start = ContinuousClock.now
        let killed = state.withLock { $0.killed.removeValue(forKey: work.task.id) }
        var end = TaskEnd(task: work.task.id, reason: .killed(reason: killed ?? ""))
        if killed == nil { run(work, into: &end) }
        end.runTime = ContinuousClock.now - start
        if case .mapOutput(let sizes) = end.reason { announce(sizes, of: work) }
        state.withLock { state in
            state.running[work.task.id] = nil
            state.reaper?.ended(work.task.id)
            state.killed[work.task.id] = nil
            state.held.remove(work.task.id)
        }
        report(.ended(end))
        if case .mapOutput = end.reason { push(work) }
    }

    /// The output is there and told; now it may be merged.
    private func push(_ work: QueuedTask) {
        guard let setup = work.stage?.setup, let plan = setup.merge,
            let shuffle = setup.outputShuffle
        else { return }
        pusher.push(
            .init(
                shuffle: shuffle, mapIndex: work.task.partition, mapTask: work.task.id, plan: plan))
    }

    private func run(_ work: QueuedTask, into end: inout TaskEnd) {
        guard let stage = work.stage else {
            end.reason = .exception(message: "\(work.task.stage) is not set up here", trace: "")
            return
        }
        let memory = TaskMemory(manager: memory, task: work.task.id)
        defer { memory.end() }
        do {
            let context = try context(work.task, stage.setup, memory)
            state.withLock { state in
                state.running[work.task.id] = context
                if let reason = state.killed[work.task.id] { context.kill(reason: reason) }
            }
            run(stage, context, into: &end)
        } catch { end.reason = Self.reason(error, stage.setup) }
    }

    private func context(
        _ task: TaskDescription, _ setup: StageSetup, _ memory: TaskMemory
    ) throws -> TaskContext {
        let context = TaskContext(
            partition: task.partition, attempt: task.attempt, taskID: task.id, stage: setup.stage,
            stageAttempt: setup.attempt, job: setup.job, batch: setup.batch,
            query: setup.query ?? "", input: try TaskInput(decoding: task.input),
            shuffle: TaskShuffle(runtime: self, setup: setup, task: task.id, memory: memory),
            memory: memory,
            blocks: transfers.blocks(of: setup), localProperties: setup.localProperties)
        context.tellAccumulators = { [report, dropsZeroUpdates, unowned context] in
            // What cannot be encoded is said when the task ends.
            let updates = try? context.accumulators.updates(droppingZero: dropsZeroUpdates)
            guard let updates, !updates.isEmpty else { return }
            report(.accumulators(PartialAccumulators(task: task.id, updates: updates)))
        }
        context.barrier = barrier(of: context, setup)
        context.askToCommit = { [self, unowned context] in try askToCommit(context) }
        return context
    }

    private func askToCommit(_ context: TaskContext) throws {
        let task = context.taskID
        let decision = try context.waiting(wakenBy: { [commits] in commits.withdraw(task) }) {
            commits.wait(for: task, atMost: commitTimeout) { report(.commitRequested(task)) }
        }
        guard let decision else {
            throw MillraceError(
                .unavailable,
                "the driver did not say within \(commitTimeout) whether partition "
                    + "\(context.partition) may be committed")
        }
        guard decision else { throw CommitDenied() }
    }

    private func run(_ stage: ResidentStage, _ context: TaskContext, into end: inout TaskEnd) {
        do {
            // Within the task, for it may have to wait for the plan.
            let output = try context.run { try stage.executable().run(context) }
            end.accumulators = try context.accumulators.updates()
            switch output {
            case .result(let bytes): end.reason = .result(bytes[...])
            case .mapOutput(let sizes):
                end.reason = .mapOutput(BlockSizes(sizes.lazy.map { Int(clamping: $0) }))
            }
        } catch {
            // Whatever a task says that was asked to end, it ended because of that.
            end.reason =
                context.interruption.reason.map { .killed(reason: $0) }
                ?? Self.reason(error, stage.setup)
            end.isExecutorAtFault = error is LocalDiskFull || error is LocalDiskDamaged
            // Said before the task's end, so that the plan comes with its next attempt.
            if let missing = error as? PlanMissing { report(.planMissing(missing.plan)) }
            end.accumulators = (try? context.accumulators.updates(ofFailed: true)) ?? []
        }
        end.recordsRead = context.metrics.recordsRead
        end.recordsWritten = context.metrics.recordsWritten
        end.metrics = context.metrics.named.map { TaskMetric(name: $0.name, value: $0.value) }
    }

    private static func reason(_ error: any Error, _ setup: StageSetup) -> TaskEndReason {
        switch error {
        case let failure as FetchFailure:
            .fetchFailed(
                MillraceCore.FetchFailure(
                    shuffle: setup.inputShuffles[failure.shuffleInput], mapIndex: failure.mapIndex,
                    executor: failure.executor, reduce: failure.reduce, message: failure.message))
        case let missing as MapOutputsMissing:
            .fetchFailed(
                MillraceCore.FetchFailure(
                    shuffle: missing.shuffle, mapIndex: nil, executor: nil, reduce: missing.reduce,
                    message: missing.description))
        case let killed as TaskKilled: .killed(reason: killed.reason)
        case is CommitDenied: .commitDenied
        // No failure of the task's.
        case let missing as PlanMissing: .killed(reason: missing.description)
        default: .exception(message: "\(error)", trace: "")
        }
    }
}
