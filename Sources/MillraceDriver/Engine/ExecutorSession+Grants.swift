import MillraceBase
import MillraceCore
import MillraceWire

/// What a grant means for one executor.
extension ExecutorSession {
    func begin(_ grant: Grant, plans known: PlanStore) {
        for stage in grant.stages where stage.executors.contains(id) {
            bring(stage.plan, for: "\(grant.id)", known)
        }
        outbox.grants.append(grant)
    }

    func run(_ batch: GrantedBatch) { outbox.grantedBatches.append(batch) }

    func endGrant(_ grant: GrantID) { outbox.endedGrants.append(grant) }

    func revokeGrant(_ grant: GrantID) { outbox.revokedGrants.append(grant) }

    func tell(_ outputs: [MapOutputs]) { outbox.mapOutputs += outputs }
}
