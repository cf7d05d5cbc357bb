import MillraceBase

@testable import MillraceCore

/// The world's side: executors that come and go, jobs, and what becomes of tasks.
extension MiniSimulation {
    mutating func addExecutor() {
        let id = ExecutorID(executors.count)
        let host = random.below(MiniSimulation.hosts)
        executors.append(Executor(cores: 1 + random.below(3), host: host))
        handle(
            .executorRegistered(
                id, host: "h\(host)", cores: executors[id.rawValue].cores,
                hasShuffleService: host == MiniSimulation.serviceHost))
    }

    mutating func loseExecutor() {
        let alive = executors.indices.filter { executors[$0].isAlive }
        let id = alive[random.below(alive.count)]
        end(executor: id)
        let loss = ExecutorLoss(reason: "chance", causedByApp: random.chance(500))
        handle(.executorLost(ExecutorID(id), loss))
    }

    /// The process is gone, and its blocks unless a service has them.
    mutating func end(executor id: Int) {
        executors[id].isAlive = false
        executors[id].queue.removeAll()
        executors[id].parked.removeAll()
        if executors[id].host != MiniSimulation.serviceHost { forgetBlocks(of: id) }
    }

    mutating func loseHost() {
        let host = random.below(MiniSimulation.hosts)
        for id in executors.indices where executors[id].host == host {
            end(executor: id)
            forgetBlocks(of: id)
        }
        seen["host lost", default: 0] += 1
        handle(.hostLost("h\(host)", ExecutorLoss(reason: "chance", causedByApp: false)))
    }

    mutating func forgetBlocks(of id: Int) {
        blocks.subtract(executors[id].blocks)
        executors[id].blocks = []
    }

    mutating func decommission() {
        let alive = executors.indices.filter { executors[$0].isAlive }
        let id = alive[random.below(alive.count)]
        executors[id].isDecommissioned = true
        handle(.executorDecommissioned(ExecutorID(id), reason: "chance"))
    }

    /// A disk forgets its blocks, and nobody says so: only a fetch finds out.
    mutating func loseBlocks() {
        let id = random.below(executors.count)
        if !executors[id].blocks.isEmpty { seen["disk lost", default: 0] += 1 }
        forgetBlocks(of: id)
    }

    mutating func submitJob() {
        let id = jobCount
        jobCount += 1
        var chain: [Int] = []
        var shuffles: [Int] = []
        // Sometimes shuffles of an earlier job are read again.
        if random.chance(300), !reusable.isEmpty {
            let old = reusable[random.below(reusable.count)]
            chain = Array(old.chain.prefix(2 + random.below(old.chain.count - 1)))
            shuffles = Array(old.shuffles.prefix(chain.count - 1))
        } else {
            chain = (0...random.below(4)).map { _ in 1 + random.below(6) }
            for _ in chain.dropFirst() {
                shuffles.append(shuffleCount)
                shuffleCount += 1
            }
            if !shuffles.isEmpty {
                reusable.append((shuffles, chain))
                let first = random.chance(300) ? random.below(shuffles.count) : nil
                provenance.declare(shuffles, indeterminateFrom: first)
            }
        }
        let final = chain[chain.count - 1]
        let some = random.chance(200) ? [random.below(final)] : nil
        let preferred =
            random.chance(400) ? (0..<final).map { _ in random.below(executors.count) } : []
        let hosts = random.chance(200) ? (0..<final).map { _ in "h\(random.below(4))" } : []
        partitionsOf[JobID(id)] = some?.count ?? final
        handle(
            .jobSubmitted(
                Jobs.chain(
                    id, chain, shuffles: shuffles, partitions: some, preferred: preferred,
                    hosts: hosts, ownsState: random.chance(300),
                    properties: JobProperties(
                        group: "g\(random.below(4))", tags: ["t\(random.below(4))"],
                        pool: "p\(random.below(3))"),
                    indeterminate: shuffles.indices.filter {
                        provenance.indeterminate.contains(shuffles[$0])
                    })))
    }

    mutating func cancelJob() {
        let name = random.below(4)
        switch random.below(4) {
        case 0: handle(.jobsCancelled(.group("g\(name)"), reason: "chance"))
        case 1: handle(.jobsCancelled(.tag("t\(name)"), reason: "chance"))
        default: handle(.jobCancelled(JobID(random.below(jobCount)), reason: "chance"))
        }
    }

    mutating func releaseShuffle() {
        guard reusable.count > 1 else { return }
        for shuffle in reusable.removeFirst().shuffles {
            handle(.shuffleReleased(ShuffleID(shuffle)))
        }
    }

    mutating func advance() {
        now = now + .milliseconds(random.below(100))
        if let due = timer, due <= now {
            timer = nil
            handle(.timerFired)
        }
    }

    /// An executor's heartbeat, with what a running task has added so far.
    mutating func beat() {
        let id = random.below(executors.count)
        guard executors[id].isAlive, let task = executors[id].queue.first else { return }
        let updates = AccumulatedModel.updates(tasks[task.id]!.setup, task, .result([]))
        handle(
            .accumulatorsReported(
                ExecutorID(id), [PartialAccumulators(task: task.id, updates: updates)]))
        problems += accumulators.checkPartials()
    }

    /// One executor reports some of its running tasks.
    mutating func report() {
        let busy = executors.indices.filter { !executors[$0].queue.isEmpty }
        guard !busy.isEmpty else {
            // Nothing runs: only time can help.
            if core.runningJobCount > 0 { advance() }
            return
        }
        let id = busy[random.below(busy.count)]
        var ends: [TaskEnd] = []
        for _ in 0...random.below(4) where !executors[id].queue.isEmpty {
            let place = random.below(min(executors[id].cores, executors[id].queue.count))
            let task = executors[id].queue[place]
            if let earliest = earliestEnd[task.id], earliest > now { continue }
            executors[id].queue.remove(at: place)
            let reason = outcome(of: task, on: id)
            announce(task, reason, from: id)
            ends.append(
                TaskEnd(
                    task: task.id, reason: reason, runTime: .microseconds(random.below(300)),
                    accumulators: AccumulatedModel.updates(tasks[task.id]!.setup, task, reason)))
        }
        guard !ends.isEmpty else {
            advance()
            return
        }
        handle(.tasksEnded(ExecutorID(id), ends))
        // A report may come twice; the second says nothing.
        if random.chance(20) { handle(.tasksEnded(ExecutorID(id), ends)) }
    }

    mutating func outcome(of task: TaskDescription, on executor: Int) -> TaskEndReason {
        if doomed.contains(task.id) { return .killed(reason: "asked") }
        if executors[executor].kills.contains(task.id), random.chance(500) {
            return .killed(reason: "asked")
        }
        if areFaultsOn, random.chance(60) { return .exception(message: "chance", trace: "") }
        let (setup, outputs) = tasks[task.id]!
        for shuffle in outputs {
            for (index, status) in shuffle.statuses.enumerated() {
                guard let status else {
                    return .fetchFailed(
                        FetchFailure(
                            shuffle: shuffle.shuffle, mapIndex: nil, executor: nil,
                            reduce: task.partition, message: "no location"))
                }
                let key = [shuffle.shuffle.rawValue, index, status.mapTask.rawValue]
                if !executors[status.executor.rawValue].isAlive, blocks.contains(key) {
                    seen["read from a service", default: 0] += 1
                }
                if !blocks.contains(key) || (areFaultsOn && random.chance(15)) {
                    complaints.insert(key)
                    return .fetchFailed(
                        FetchFailure(
                            shuffle: shuffle.shuffle, mapIndex: index, executor: status.executor,
                            reduce: task.partition, message: "gone"))
                }
            }
        }
        if let problem = provenance.ran(task.id, reading: outputs) { problems.append(problem) }
        guard let output = setup.outputShuffle else { return .result(Self.bytes(of: task.id)[...]) }
        let block = [output.rawValue, task.partition, task.id.rawValue]
        blocks.insert(block)
        executors[executor].blocks.append(block)
        push(task, setup)
        return .mapOutput(BlockSizes([Int](repeating: 3, count: setup.reducerCount)))
    }

    /// A result says which task made it.
    static func bytes(of task: TaskID) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: task.rawValue >> $0) }
    }
}
