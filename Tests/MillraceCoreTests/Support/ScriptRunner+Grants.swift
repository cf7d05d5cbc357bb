import MillraceBase

@testable import MillraceCore

/// Grants in scripts: what their effects launch, and the commands about them.
extension ScriptRunner {
    mutating func note(_ effect: Effect) {
        switch effect {
        case .grant(let grant): grants[grant.id] = grant
        case .runBatch(let batch):
            guard let grant = grants[batch.grant] else {
                output.append("error: \(batch.grant) is unknown")
                return
            }
            var task = batch.firstTask
            for (place, stage) in grant.stages.enumerated() {
                for (partition, executor) in stage.executors.enumerated() {
                    let description = TaskDescription(
                        id: task, stage: StageID(batch.firstStage.rawValue + place),
                        stageAttempt: 0, partition: partition, attempt: 0, input: [])
                    launched[task] = Launched(
                        task: description, executor: executor,
                        reducers: place < batch.shuffles.count ? stage.reducerCount : nil,
                        inputs: stage.parents.map { batch.shuffles[$0] })
                    task = task.next
                }
            }
        case .endGrant(let grant, _): grants[grant] = nil
        case .revokeGrant(let grant, _): grants[grant] = nil
        default: break
        }
    }

    mutating func performOnGrants(_ arguments: Arguments) throws {
        let number = try arguments.number(0)
        switch arguments.name {
        case "end-query": handle(.queryEnded(QueryID(number)))
        default:
            guard let query = core.grants.queries[QueryID(number)] else {
                output.append("unknown")
                return
            }
            let share = query.size.overhead.map { "\(Int($0 * 100)) %" } ?? "unknown"
            output.append("next group: \(query.size.batches) batches, overhead \(share)")
            if let active = query.active {
                output.append("\(active.grant.id): \(active.left) batches left")
            }
        }
    }
}
