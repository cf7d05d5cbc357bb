import MillraceBase
import MillraceCore

/// The grants under which batches may come: whom a batch is to be sent to, and what of it.
struct LiveGrants {
    private struct Live {
        var grant: Grant
        var executors: [ExecutorID]
    }
    private var grants: [GrantID: Live] = [:]

    mutating func begin(
        _ grant: Grant, _ sessions: [ExecutorID: ExecutorSession], _ plans: inout PlanStore
    ) {
        let executors = grant.executors
        grants[grant.id] = Live(grant: grant, executors: executors)
        for stage in grant.stages { plans.hold(stage.plan) }
        for executor in executors { sessions[executor]?.begin(grant, plans: plans) }
    }

    func run(_ batch: GrantedBatch, _ sessions: [ExecutorID: ExecutorSession]) {
        guard let live = grants[batch.grant] else {
            preconditionFailure("\(batch.job) runs under \(batch.grant), which is over")
        }
        for executor in live.executors {
            sessions[executor]?.run(batch.share(of: executor, under: live.grant))
        }
    }

    mutating func end(_ grant: GrantID, _ plans: inout PlanStore) {
        guard let live = grants.removeValue(forKey: grant) else { return }
        for stage in live.grant.stages { plans.release(stage.plan) }
    }
}
