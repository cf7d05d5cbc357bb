import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceWire

/// The lives of executor processes.
extension Simulation {
    func startExecutor(_ incarnation: Int) {
        guard incarnation == self.incarnation else { return }
        let id = ExecutorID(executors.count)
        backend.starting -= 1
        backend.staying.insert(id)
        let host = 1 + netChance.below(plan.hosts)
        let executor = SimulatedExecutor(
            id: id, host: host, cores: plan.coresPerExecutor, incarnation: incarnation)
        executor.connection = network.connect(
            executor: id.rawValue, incarnation: incarnation, driverHost: 0, executorHost: host,
            now: now)
        executors.append(executor)
        note("\(id) starts on host \(host)")
        var message = ExecutorMessage()
        message.register = ExecutorMessage.Registration(
            protocolVersion: ExecutorMessage.protocolVersion, applicationID: "simulation",
            executor: id, buildID: "", host: "host-\(host)", blockPort: 1, cores: executor.cores,
            memoryBytes: 1 << 30, processID: id.rawValue,
            serviceBlockPort: plan.hasShuffleService ? 7_337 : nil)
        send(message.encoded(arena: arena), over: executor.connection, to: .driver)
    }

    /// What the driver sent in one message, in the order of its lists.
    func apply(_ bytes: [UInt8], on executor: SimulatedExecutor) {
        guard executor.isAlive else { return }
        let message: DriverMessage
        do throws(WireError) {
            message = try DriverMessage(decoding: bytes, arena: arena)
            do throws(ByteError) {
                for piece in message.plans { try executor.add(piece) }
            } catch { return fail("\(executor.id) cannot read a plan: \(error)") }
        } catch { return fail("\(executor.id) cannot read a message: \(error.message)") }
        note("\(executor.id) is sent \(describe(message))")
        for peer in message.lostPeers { executor.lostPeers.insert(peer) }
        for outputs in message.mapOutputs {
            checkAttempt(of: outputs, on: executor)
            executor.update(outputs)
        }
        for setup in message.stages {
            executor.stages[.init(stage: setup.stage, attempt: setup.attempt)] = setup
        }
        for move in message.outputMoves { adopt(move, on: executor) }
        for task in message.launches where !executor.launch(task) {
            fail("\(task.stage).\(task.stageAttempt) is not set up on \(executor.id)")
        }
        for kill in message.kills { self.kill(kill.task, kill.reason, on: executor) }
        for decision in message.commitDecisions {
            commit(decision.task, decision.isGranted, on: executor)
        }
        for decision in message.barrierDecisions { decide(decision, on: executor) }
        for shuffle in message.removedShuffles { executor.remove(shuffle) }
        for stage in message.finishedStages { executor.finish(stage) }
        for grant in message.grants { executor.grants.add(grant, on: executor.id) }
        for batch in message.grantedBatches { begin(batch, on: executor) }
        for grant in message.revokedGrants { revoke(grant, on: executor) }
        for grant in message.endedGrants { end(grant, on: executor) }
        if let registered = message.registered {
            executor.isRegistered = true
            executor.heartbeatInterval = registered.heartbeatInterval
            schedule(.heartbeat(executor: executor.id.rawValue), after: .zero)
        }
        startTasks(on: executor)
        checkQueue(of: executor)
        if message.shutdown != nil { exit(executor, "the driver asked for it") }
    }

    func beat(_ executor: SimulatedExecutor) {
        guard executor.isAlive else { return }
        executor.heartbeats += 1
        var message = ExecutorMessage()
        message.heartbeat = ExecutorMessage.Heartbeat(
            sequence: executor.heartbeats,
            runningTasks: executor.running.count + executor.queue.count, residentBytes: 0)
        for running in executor.running {
            guard let rows = running.rows, let program = executor.plans[running.setup.plan] else {
                continue
            }
            let updates = Ledger.updates(program, rows)
            if !updates.isEmpty {
                message.partialAccumulators.append(
                    PartialAccumulators(task: running.task.id, updates: updates))
            }
        }
        send(message.encoded(arena: arena), over: executor.connection, to: .driver)
        schedule(
            .heartbeat(executor: executor.id.rawValue), after: executor.heartbeatInterval)
    }

    /// Sends what has gathered. Now and then twice, as after a reconnection that could not know
    /// what had arrived.
    func report(_ executor: SimulatedExecutor) {
        executor.isReportDue = false
        guard executor.isAlive, !executor.outbox.isEmpty else { return }
        var message = ExecutorMessage()
        swap(&message, &executor.outbox)
        let bytes = message.encoded(arena: arena)
        send(bytes, over: executor.connection, to: .driver)
        if !isCalm, netChance.chance(weather.duplicates) {
            send(bytes, over: executor.connection, to: .driver)
        }
    }

    func reportSoon(_ executor: SimulatedExecutor) {
        guard !executor.isReportDue else { return }
        executor.isReportDue = true
        schedule(.report(executor: executor.id.rawValue), after: .microseconds(10))
    }

    /// The process ends: its map outputs are gone and its connection closes.
    func exit(_ executor: SimulatedExecutor, _ why: String) {
        guard executor.isAlive else { return }
        note("\(executor.id) ends: \(why)")
        executor.die(keepsOutputs: plan.hasShuffleService)
        close(executor.connection, from: .executor)
    }

    func describe(_ message: DriverMessage) -> String {
        var parts: [String] = []
        if message.registered != nil { parts.append("a welcome") }
        parts += message.plans.map { "plan \($0.plan)" }
        parts += message.mapOutputs.map { outputs in
            let known = outputs.statuses.count { $0 != nil }
            return "\(known)/\(outputs.statuses.count) outputs of \(outputs.shuffle)"
        }
        parts += message.stages.map { "\($0.stage).\($0.attempt)" }
        parts += message.launches.map {
            "\($0.id)=\($0.stage.rawValue).\($0.stageAttempt)/\($0.partition)#\($0.attempt)"
        }
        parts += message.kills.map { "a kill of \($0.task) (\($0.reason))" }
        parts += message.removedShuffles.map { "the end of \($0)" }
        parts += message.finishedStages.map { "the end of \($0)" }
        parts += message.commitDecisions.map {
            "\($0.isGranted ? "a grant" : "a denial") for \($0.task)"
        }
        parts += message.barrierDecisions.map { "barrier \($0.epoch) \($0.outcome)" }
        parts += message.grants.map { "\($0.id) for \($0.batches) batches" }
        parts += message.grantedBatches.map { "\($0.job) under \($0.grant)" }
        parts += message.revokedGrants.map { "\($0) taken back" }
        parts += message.endedGrants.map { "the end of \($0)" }
        parts += message.outputMoves.map { "\($0) to take over" }
        parts += message.lostPeers.map { "the loss of \($0)" }
        if let reason = message.shutdown { parts.append("the end: \(reason)") }
        if parts.isEmpty { parts.append("\(message.peers.count) peers") }
        return parts.joined(separator: ", ")
    }
}
