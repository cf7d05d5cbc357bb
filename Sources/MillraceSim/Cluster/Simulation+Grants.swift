import MillraceBase
import MillraceCore
import MillraceExecutor

/// Batches under grants on simulated executors, with the real `ResidentGrants`: what is parked,
/// what is announced from one executor to another, and what gets lost on that way.
extension Simulation {
    func begin(_ batch: GrantedBatch, on executor: SimulatedExecutor) {
        do throws(PlanError) {
            let (ready, over) = try executor.grants.begin(
                batch, plans: SimulatedExecutor.residentPlans)
            for shuffle in over { executor.remove(shuffle) }
            executor.launch(ready)
        } catch { fail("\(executor.id) is sent \(error.message)") }
    }

    /// What runs of the grant ends like any task that is killed; what is parked ends at once.
    func revoke(_ grant: GrantID, on executor: SimulatedExecutor) {
        guard let taken = executor.grants.remove(grant) else { return }
        for work in taken.parked {
            finish(
                TaskEnd(task: work.task.id, reason: .killed(reason: "taken back")), on: executor)
        }
        for task in taken.tasks { kill(TaskID(task), "taken back", on: executor) }
    }

    func end(_ grant: GrantID, on executor: SimulatedExecutor) {
        guard let taken = executor.grants.remove(grant) else { return }
        for shuffle in taken.shuffles { executor.remove(shuffle) }
    }

    // MARK: Announcements

    /// Says where a granted map task's output is, to all who read it, each by a way of its own.
    func announce(
        _ blocks: [[Row]], _ sizes: BlockSizes, of running: SimulatedExecutor.Running,
        on executor: SimulatedExecutor
    ) {
        guard let readers = running.readers, let shuffle = running.setup.outputShuffle else {
            return
        }
        let status = MapStatus(
            executor: executor.id, mapTask: running.task.id, mapIndex: running.task.partition,
            sizes: sizes)
        for (reader, reducers) in readers.places {
            var ready = MapOutputReady(grant: readers.grant, shuffle: shuffle, status: status)
            guard reader != executor.id else {
                executor.launch(executor.grants.take(ready))
                continue
            }
            for reduce in reducers where blocks[reduce].count <= plan.inlineRows {
                ready.blocks.append(.init(reduce: reduce, bytes: Program.encode(blocks[reduce])))
            }
            tell(executors[reader.rawValue], ready.encode(), from: executor)
        }
    }

    /// One message on the data plane: it arrives some time, twice, or never, and in no order.
    private func tell(
        _ reader: SimulatedExecutor, _ bytes: [UInt8], from executor: SimulatedExecutor
    ) {
        guard network.canReach(executor.host, reader.host) else { return }
        if !isCalm, netChance.chance(weather.lostAnnouncements) { return }
        for _ in 0..<(!isCalm && netChance.chance(weather.duplicates) ? 2 : 1) {
            schedule(
                .announcement(executor: reader.id.rawValue, bytes),
                after: netChance.delay(network.delay))
        }
    }

    func hear(_ bytes: [UInt8], on executor: SimulatedExecutor) {
        guard executor.isAlive else { return }
        do throws(ByteError) {
            let ready = executor.grants.take(try MapOutputReady(decoding: bytes))
            guard !ready.tasks.isEmpty else { return }
            note("\(executor.id) has heard of all that \(ready.tasks.count) parked tasks read")
            executor.launch(ready)
            startTasks(on: executor)
        } catch { fail("\(executor.id) cannot read an announcement: \(error)") }
    }
}

extension SimulatedExecutor {
    /// Grants ask for one; programs are kept in `plans`.
    static let residentPlans = ResidentPlans()

    /// Granted tasks that may run, and what they read.
    func launch(_ ready: ResidentGrant.Ready) {
        for input in ready.inputs {
            outputs[input.outputs.shuffle] = input.outputs
            inlineBlocks[input.outputs.shuffle] = input.blocks
        }
        for work in ready.tasks {
            guard let stage = work.stage else { continue }
            queue.append(
                Queued(
                    task: work.task, setup: stage.setup, readers: stage.readers, isGranted: true))
        }
    }

    /// The blocks for that reducer that are here already, by map task.
    func inline(_ shuffle: ShuffleID, reduce: Int) -> [TaskID: [UInt8]] {
        inlineBlocks[shuffle]?.of(reduce: reduce) ?? [:]
    }

    /// What the driver says of map outputs: parked tasks may have waited for it.
    func update(_ told: MapOutputs) {
        outputs[told.shuffle] = told
        launch(grants.take(told))
    }
}
