import MillraceBase

@testable import MillraceCore

/// Streaming queries, and what executors make of grants: tasks parked until map outputs come, which
/// may get lost on the way.
extension MiniSimulation {
    struct Query {
        var chain: [Int]
        var batch = 0
        var job: JobID?
        /// Of batches that have ended, to be released.
        var shuffles: [Int] = []
    }

    struct GrantedTask {
        var grant: GrantID
        var stage: Int
        var firstTask: TaskID
        var shuffles: [ShuffleID]
    }

    struct Parked {
        var task: TaskDescription
        var grant: GrantID
        var inputs: [MapOutputs]
        var isReady: Bool { inputs.allSatisfy { $0.statuses.allSatisfy { $0 != nil } } }
    }

    /// A query's next batch, once the one before has ended.
    mutating func submitBatch() {
        settleBatches()
        let query = random.below(3)
        while queries.count <= query { queries.append(Query(chain: chain())) }
        guard queries[query].job == nil else { return }
        if random.chance(50) { queries[query].chain = chain() }
        if random.chance(30) {
            handle(.queryEnded(QueryID(query)))
            seen["query ended", default: 0] += 1
        }
        let chain = queries[query].chain
        let id = JobID(jobCount)
        jobCount += 1
        let shuffles = Array(shuffleCount..<(shuffleCount + chain.count - 1))
        shuffleCount += shuffles.count
        let final = chain[chain.count - 1]
        let preferred =
            random.chance(400) ? (0..<final).map { _ in random.below(executors.count) } : []
        partitionsOf[id] = final
        queries[query].job = id
        queries[query].shuffles += shuffles
        queries[query].batch += 1
        handle(
            .jobSubmitted(
                Jobs.chain(
                    id.rawValue, chain, shuffles: shuffles, preferred: preferred,
                    properties: JobProperties(
                        group: "g\(random.below(4))", query: "q\(query)",
                        batch: BatchID(queries[query].batch), streamingQuery: QueryID(query)))))
    }

    mutating func chain() -> [Int] {
        (0...random.below(3)).map { _ in 1 + random.below(5) }
    }

    /// What a query does when its batch has ended.
    mutating func settleBatches() {
        for query in queries.indices {
            guard let job = queries[query].job, ended[job] != nil else { continue }
            queries[query].job = nil
            let shuffles = queries[query].shuffles
            queries[query].shuffles = []
            for shuffle in shuffles { handle(.shuffleReleased(ShuffleID(shuffle))) }
            handle(
                .batchesSettled(query: "q\(query)", through: BatchID(queries[query].batch)))
        }
    }

    // MARK: The executors' side

    mutating func performOnGrants(_ effect: Effect) {
        switch effect {
        case .grant(let grant):
            seen["grant", default: 0] += 1
            grants[grant.id] = grant
            for executor in grant.executors where !executors[executor.rawValue].takesTasks {
                problems.append("\(grant.id) names \(executor), which takes no tasks")
            }
        case .runBatch(let batch): run(batch)
        case .endGrant(let id, _):
            grants[id] = nil
            if granted.values.contains(where: { $0.grant == id }) {
                problems.append("\(id) ends with tasks")
            }
        case .revokeGrant(let id, let executors):
            seen["grant taken back", default: 0] += 1
            grants[id] = nil
            for executor in executors { revoke(id, on: executor.rawValue) }
        case .tellMapOutputs(let executor, let outputs):
            seen["map outputs told", default: 0] += 1
            for output in outputs {
                for case let status? in output.statuses {
                    arrive(status, of: output.shuffle, on: executor.rawValue)
                }
            }
        default: break
        }
    }

    private mutating func run(_ batch: GrantedBatch) {
        guard let grant = grants[batch.grant] else {
            problems.append("\(batch.job) runs under \(batch.grant), which is over")
            return
        }
        seen["granted batch", default: 0] += 1
        var task = batch.firstTask
        for (place, stage) in grant.stages.enumerated() {
            let isLast = place == grant.stages.count - 1
            let setup = StageSetup(
                stage: StageID(batch.firstStage.rawValue + place), attempt: 0, plan: stage.plan,
                inputShuffles: stage.parents.map { batch.shuffles[$0] },
                outputShuffle: isLast ? nil : batch.shuffles[place],
                reducerCount: stage.reducerCount, job: batch.job, query: grant.query,
                batch: batch.batch)
            let inputs = stage.parents.map { parent in
                MapOutputs(
                    shuffle: batch.shuffles[parent], epoch: 0,
                    statuses: grant.stages[parent].executors.map { _ in nil })
            }
            accumulators.launched(setup, reading: inputs)
            for (partition, executor) in stage.executors.enumerated() {
                if !executors[executor.rawValue].takesTasks {
                    problems.append("\(task) is granted to \(executor), which takes no tasks")
                }
                let description = TaskDescription(
                    id: task, stage: setup.stage, stageAttempt: 0, partition: partition, attempt: 0,
                    input: [])
                tasks[task] = (setup, [])
                granted[task] = GrantedTask(
                    grant: grant.id, stage: place, firstTask: batch.firstTask,
                    shuffles: batch.shuffles)
                if inputs.isEmpty {
                    executors[executor.rawValue].queue.append(description)
                } else {
                    executors[executor.rawValue].parked.append(
                        Parked(task: description, grant: grant.id, inputs: inputs))
                }
                task = task.next
            }
        }
    }

    /// A granted map task tells its readers' executors. Not all of them hear it.
    mutating func announce(_ task: TaskDescription, _ reason: TaskEndReason, from executor: Int) {
        guard let known = granted.removeValue(forKey: task.id), case .mapOutput(let sizes) = reason,
            let grant = grants[known.grant]
        else { return }
        let status = MapStatus(
            executor: ExecutorID(executor), mapTask: task.id, mapIndex: task.partition,
            sizes: sizes)
        for stage in grant.stages where stage.parents.contains(known.stage) {
            for reader in Set(stage.executors).sorted() where !random.chance(60) {
                arrive(status, of: known.shuffles[known.stage], on: reader.rawValue)
            }
        }
    }

    private mutating func arrive(_ status: MapStatus, of shuffle: ShuffleID, on executor: Int) {
        for place in executors[executor].parked.indices {
            for input in executors[executor].parked[place].inputs.indices
            where executors[executor].parked[place].inputs[input].shuffle == shuffle {
                executors[executor].parked[place].inputs[input].statuses[status.mapIndex] = status
            }
        }
        for parked in executors[executor].parked where parked.isReady {
            tasks[parked.task.id]!.outputs = parked.inputs
            executors[executor].queue.append(parked.task)
        }
        executors[executor].parked.removeAll(where: \.isReady)
    }

    private mutating func revoke(_ grant: GrantID, on executor: Int) {
        for parked in executors[executor].parked where parked.grant == grant {
            doomed.insert(parked.task.id)
            executors[executor].queue.append(parked.task)
        }
        executors[executor].parked.removeAll { $0.grant == grant }
        for task in executors[executor].queue where granted[task.id]?.grant == grant {
            executors[executor].kills.insert(task.id)
        }
    }
}
