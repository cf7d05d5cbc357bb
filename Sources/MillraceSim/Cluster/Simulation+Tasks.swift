import MillraceBase
import MillraceCore
import MillraceStore
import MillraceWire

/// Tasks on an executor: from its queue to a core, through their program, to their report.
extension Simulation {
    func startTasks(on executor: SimulatedExecutor) {
        while executor.running.count < executor.cores, !executor.queue.isEmpty {
            let next = executor.queue.removeFirst()
            var running = SimulatedExecutor.Running(
                task: next.task, setup: next.setup, readers: next.readers, start: now,
                isGranted: next.isGranted)
            if taskChance.chance(weather.earlyReaders) {
                do throws(Unreadable) {
                    running.rows = try rows(of: running, on: executor)
                } catch {
                    finish(fetchFailed(error, task: next.task.id), on: executor)
                    continue
                }
            }
            executor.running.append(running)
            var time = taskChance.delay(plan.taskTime) * slowness[executor.host]
            if !isCalm, taskChance.chance(weather.stragglers) {
                time = min(time * taskChance.pick([3, 10, 100]), .seconds(5))
            }
            schedule(.taskEnd(executor: executor.id.rawValue, next.task.id), after: time)
        }
    }

    /// A queued task ends at once; a running one at its next look, unless it ends before.
    func kill(_ task: TaskID, _ reason: String, on executor: SimulatedExecutor) {
        if let place = executor.queue.firstIndex(where: { $0.task.id == task }) {
            executor.queue.remove(at: place)
            finish(TaskEnd(task: task, reason: .killed(reason: reason)), on: executor)
        } else if let place = executor.position(of: task) {
            // Who waits for others hears it.
            let isDeaf = taskChance.chance(weather.deafTasks)
            guard !isDeaf || executor.running[place].isWaiting else { return }
            executor.running[place].isCancelled = true
            schedule(
                .taskEnd(executor: executor.id.rawValue, task), after: .microseconds(50))
        }
    }

    func endTask(_ id: TaskID, on executor: SimulatedExecutor) {
        guard executor.isAlive, let place = executor.position(of: id),
            executor.running[place].uncommitted == nil, !waitsAtBarrier(place, on: executor)
        else { return }
        let running = executor.running[place]
        var end = TaskEnd(
            task: id, reason: .killed(reason: "on request"), runTime: now - running.start)
        if !running.isCancelled {
            switch perform(running, on: executor, &end.accumulators) {
            case .ended(let reason): end.reason = reason
            case .wantsCommit(let rows):
                executor.running[place].uncommitted = rows
                executor.outbox.commitRequests.append(id)
                return reportSoon(executor)
            }
        }
        executor.running.remove(at: place)
        finish(end, on: executor)
        startTasks(on: executor)
    }

    func finish(_ end: TaskEnd, on executor: SimulatedExecutor) {
        executor.outbox.taskEnds.append(end)
        reportSoon(executor)
    }

    private enum Step {
        case ended(TaskEndReason)
        case wantsCommit([Row])
    }

    /// Why a program cannot go on.
    private struct Unreadable: Error { var failure: FetchFailure }

    /// What a task comes to.
    private func perform(
        _ running: SimulatedExecutor.Running, on executor: SimulatedExecutor,
        _ updates: inout [AccumulatorUpdate]
    ) -> Step {
        if !isCalm, taskChance.chance(weather.exceptions) {
            misfortunes += 1
            return .ended(.exception(message: "chance", trace: ""))
        }
        var rows = running.rows ?? []
        do throws(Unreadable) {
            if running.rows == nil { rows = try self.rows(of: running, on: executor) }
        } catch {
            return .ended(fetchFailed(error, task: running.task.id).reason)
        }
        guard let program = executor.plans[running.setup.plan] else { return .ended(.commitDenied) }
        updates = Ledger.updates(program, rows)
        switch program.output {
        case .collect: return .ended(.result(Program.encode(rows)[...]))
        case .commit: return .wantsCommit(rows)
        case .state:
            do throws(StoreError) {
                let target = StateTarget(decoding: Array(running.task.input))
                return .ended(
                    .result(
                        try mergeState(
                            rows, partition: running.task.partition, target,
                            by: running.task.id, on: executor)[...]))
            } catch {
                misfortunes += 1
                if error.isCorrupt { fail("\(executor.id) finds a damaged file: \(error)") }
                return .ended(.exception(message: "\(error)", trace: ""))
            }
        case .shuffle, .scatter:
            let reducers = running.setup.reducerCount
            let blocks =
                program.output == .shuffle
                ? Program.blocks(rows, reducers: reducers)
                : Program.scattered(rows, reducers: reducers, by: running.task.id)
            executor.publish(blocks, of: running, by: running.task.id)
            let sizes = BlockSizes(blocks.map { $0.count * 2 })
            announce(blocks, sizes, of: running, on: executor)
            return .ended(.mapOutput(sizes))
        }
    }

    private func fetchFailed(_ unreadable: Unreadable, task: TaskID) -> TaskEnd {
        misfortunes += 1
        return TaskEnd(task: task, reason: .fetchFailed(unreadable.failure))
    }

    /// Reads the task's inputs and runs its program.
    private func rows(
        of running: SimulatedExecutor.Running, on executor: SimulatedExecutor
    ) throws(Unreadable) -> [Row] {
        guard let program = executor.plans[running.setup.plan] else {
            fail("\(executor.id) was not sent the plan of \(running.setup.stage)")
            return []
        }
        let reduce = running.task.partition
        return try program.rows(
            partition: reduce, input: Array(running.task.input)
        ) { input throws(Unreadable) in
            try fetch(running.setup.inputShuffles[input], reduce: reduce, on: executor)
        }
    }

    /// This reducer's rows of all map outputs, or the first that cannot be read.
    private func fetch(
        _ shuffle: ShuffleID, reduce: Int, on executor: SimulatedExecutor
    ) throws(Unreadable) -> [Row] {
        guard let outputs = executor.outputs[shuffle], !outputs.statuses.contains(nil) else {
            throw Unreadable(
                failure: FetchFailure(
                    shuffle: shuffle, mapIndex: nil, executor: nil, reduce: reduce,
                    message: "no location"))
        }
        var rows: [Row] = []
        let inline = executor.inline(shuffle, reduce: reduce)
        for status in outputs.statuses {
            guard let status else { continue }
            if let bytes = inline[status.mapTask] {
                rows += Program.decode(bytes)
                continue
            }
            let peer = executors[status.executor.rawValue]
            let key = SimulatedExecutor.BlockKey(shuffle: shuffle, task: status.mapTask)
            let isReadable =
                peer === executor
                || (network.canReach(executor.host, peer.host)
                    && (plan.hasShuffleService || !executor.lostPeers.contains(peer.id)))
            let isFlaky = !isCalm && taskChance.chance(weather.flakyFetches)
            guard isReadable, !isFlaky, let blocks = peer.blocks[key] else {
                throw Unreadable(
                    failure: FetchFailure(
                        shuffle: shuffle, mapIndex: status.mapIndex, executor: status.executor,
                        reduce: reduce, message: "unreadable"))
            }
            rows += blocks[reduce]
        }
        return rows
    }

    /// The driver's answer to a task that wants to commit.
    func commit(_ task: TaskID, _ isGranted: Bool, on executor: SimulatedExecutor) {
        guard let place = executor.position(of: task),
            let rows = executor.running[place].uncommitted
        else { return }
        let running = executor.running.remove(at: place)
        var end = TaskEnd(task: task, reason: .commitDenied, runTime: now - running.start)
        if isGranted {
            if let program = executor.plans[running.setup.plan] {
                end.accumulators = Ledger.updates(program, rows)
            }
            sink.write(
                rows, job: running.setup.job, partition: running.task.partition, by: task)
            end.reason = .result(Program.encode([Row(key: 0, value: Int64(rows.count))])[...])
        }
        finish(end, on: executor)
        startTasks(on: executor)
    }
}
