import MillraceBase
import MillraceCore
import MillraceDriver
import MillraceWire

/// Barrier stages of the day's jobs, and what must be true of them whatever the core thinks: their
/// tasks are launched all in one step, never queued, pass barriers together, and what is handed on
/// of them is of one attempt.
struct BarrierWatch {
    typealias StageKey = SimulatedExecutor.StageKey

    /// Whether the day has any.
    var isWatching = false
    /// Of this step's launches, the partitions of each barrier stage's attempt, and how many it
    /// has.
    var launches: [(key: StageKey, partitions: [Int], count: Int)] = []
    /// By barrier task.
    var attempts: [TaskID: StageKey] = [:]
    /// Jobs with a final barrier stage that got a result in this step.
    var delivered: [JobID] = []
}

extension DayPlan {
    /// Executors have so many slots when all are there, as far as the driver is told.
    var slots: Int {
        settings.allocation.map { $0.maxExecutors * $0.tasksPerExecutor }
            ?? executors * coresPerExecutor
    }

    mutating func drawBarriers(_ random: inout SplitMix64) {
        settings.barrier.checkInterval = .milliseconds(random.pick([200, 1_000]))
        settings.barrier.maxCheckFailures = random.pick([10, 40])
        // Executors that come on request take longer than this.
        if settings.allocation == nil, random.chance(400) {
            settings.barrier.checkInterval = .milliseconds(5)
            settings.barrier.maxCheckFailures = 3
        }
        if let allocation = settings.allocation {
            // Nor do all that a stage needs come at once: one, then two, then four. A stage that
            // looks for a shorter time is given up again and again, and rightly.
            let growth = allocation.backlogTimeout + allocation.sustainedBacklogTimeout * 3
            settings.barrier.checkInterval = max(settings.barrier.checkInterval, growth / 5)
        }
        settings.barrier.syncTimeout = .milliseconds(random.pick([300, 3_600_000]))
    }
}

// MARK: On the driver's side

extension Simulation {
    /// Sees what is launched.
    func watchLaunches(_ tasks: ArraySlice<TaskDescription>) {
        guard barriers.isWatching else { return }
        for task in tasks {
            let key = BarrierWatch.StageKey(stage: task.stage, attempt: task.stageAttempt)
            if let place = barriers.launches.firstIndex(where: { $0.key == key }) {
                barriers.launches[place].partitions.append(task.partition)
                barriers.attempts[task.id] = key
                continue
            }
            guard let setup = engine.setup(of: task.stage, attempt: task.stageAttempt),
                !setup.barrierExecutors.isEmpty
            else { continue }
            barriers.launches.append((key, [task.partition], setup.barrierExecutors.count))
            barriers.attempts[task.id] = key
        }
    }

    func watchResult(_ job: JobID) {
        guard barriers.isWatching, let dataset = jobs[job.rawValue].dataset,
            graph.isBarrierStage(dataset), !barriers.delivered.contains(job)
        else { return }
        barriers.delivered.append(job)
    }

    /// After each step of the driver: all or none.
    func checkBarriers() {
        for launch in barriers.launches
        where launch.partitions.sorted() != Array(0..<launch.count) {
            fail(
                "\(launch.key.stage).\(launch.key.attempt) is a barrier stage of \(launch.count) "
                    + "tasks, and partitions \(launch.partitions) of it are launched")
        }
        for job in barriers.delivered where jobs[job.rawValue].isDelivered.contains(false) {
            fail("\(job) gets some of the results of a barrier stage")
        }
        barriers.launches.removeAll(keepingCapacity: true)
        barriers.delivered.removeAll(keepingCapacity: true)
    }

    /// Fails when outputs of a barrier stage are of several attempts. What an executor of an older
    /// driver hears late is about other tasks.
    func checkAttempt(of outputs: MapOutputs, on executor: SimulatedExecutor) {
        guard barriers.isWatching, executor.incarnation == incarnation else { return }
        let known = outputs.statuses.compactMap { $0?.mapTask }
        let attempts = Set(known.compactMap { barriers.attempts[$0] })
        let ofBarriers = known.count { barriers.attempts[$0] != nil }
        if attempts.count > 1 || (ofBarriers > 0 && ofBarriers < known.count) {
            fail("outputs of \(outputs.shuffle) are of several attempts of a barrier stage")
        }
    }
}

// MARK: On the executor's side

extension Simulation {
    /// As often do its tasks wait for each other.
    private func rounds(of setup: StageSetup) -> Int { 1 + setup.stage.rawValue % 2 }

    private func message(of setup: StageSetup, _ partition: Int) -> String {
        "\(setup.stage.rawValue).\(setup.attempt)/\(partition)"
    }

    /// Whether the task has to wait before it gets to its end. Now and then one doesn't, and the
    /// others wait in vain.
    func waitsAtBarrier(_ place: Int, on executor: SimulatedExecutor) -> Bool {
        let running = executor.running[place]
        guard !running.setup.barrierExecutors.isEmpty, !running.isCancelled else { return false }
        if running.isWaiting { return true }
        guard running.epoch < rounds(of: running.setup) else { return false }
        if !isCalm, taskChance.chance(weather.exceptions) {
            misfortunes += 1
            executor.running[place].epoch = rounds(of: running.setup)
            return false
        }
        executor.running[place].isWaiting = true
        let isGathering = running.epoch == 0
        executor.outbox.barrierRequests.append(
            BarrierRequest(
                task: running.task.id, epoch: running.epoch,
                kind: isGathering ? .allGather : .barrier,
                message: isGathering ? message(of: running.setup, running.task.partition) : ""))
        reportSoon(executor)
        return true
    }

    /// What the driver decided for tasks that wait.
    func decide(_ decision: BarrierDecision, on executor: SimulatedExecutor) {
        for task in decision.tasks {
            guard let place = executor.position(of: task), executor.running[place].isWaiting,
                executor.running[place].epoch == decision.epoch
            else { continue }
            let running = executor.running[place]
            switch decision.outcome {
            case .passed(let messages):
                executor.running[place].isWaiting = false
                executor.running[place].epoch += 1
                let all = running.setup.barrierExecutors.indices.map {
                    message(of: running.setup, $0)
                }
                if messages != (decision.epoch == 0 ? all : []) {
                    fail("\(task) is told \(messages) at barrier \(decision.epoch)")
                }
                schedule(
                    .taskEnd(executor: executor.id.rawValue, task),
                    after: taskChance.delay(plan.taskTime))
            case .failed(let reason):
                misfortunes += 1
                executor.running.remove(at: place)
                finish(
                    TaskEnd(
                        task: task, reason: .exception(message: reason, trace: ""),
                        runTime: now - running.start), on: executor)
                startTasks(on: executor)
            }
        }
    }

    /// A barrier task has a core as soon as it comes, unless a granted task was faster that the
    /// driver took to be parked.
    func checkQueue(of executor: SimulatedExecutor) {
        guard barriers.isWatching, !executor.queue.contains(where: \.isGranted),
            !executor.running.contains(where: \.isGranted)
        else { return }
        for waiting in executor.queue where !waiting.setup.barrierExecutors.isEmpty {
            fail("\(waiting.task.id) of a barrier stage is queued on \(executor.id)")
        }
    }
}
