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
        _ grant: Grant, _ sessions: [ExecutorID: ExecutorSession], _ plans: [PlanHash: [UInt8]]
    ) {
        let executors = grant.executors
        grants[grant.id] = Live(grant: grant, executors: executors)
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

    mutating func end(_ grant: GrantID) { grants[grant] = nil }
}
