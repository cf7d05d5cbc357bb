import MillraceBase
import MillraceCore
import MillraceWire

extension ExecutorRuntime {
    /// Does what the driver says, in the order of the message's lists. Throws `PlanError` for plan
    /// pieces that do not fit together; the connection is not to be trusted any more then.
    public func apply(_ message: DriverMessage) throws(PlanError) {
        if !message.peers.isEmpty { barriers.add(message.peers) }
        if !message.lostPeers.isEmpty { barriers.remove(message.lostPeers) }
        if !message.removedPlans.isEmpty { plans.remove(message.removedPlans) }
        for piece in message.plans {
            try plans.add(
                piece.plan, total: piece.totalBytes, offset: piece.offset, piece: piece.bytes)
        }
        for plan in message.planBroadcasts {
            plans.add(plan.plan, total: plan.totalBytes, in: plan.broadcast)
        }
        if !message.mapOutputs.isEmpty { update(message.mapOutputs) }
        if !message.removedRDDs.isEmpty { transfers.remove(message.removedRDDs) }
        if !message.blockHolders.isEmpty { transfers.update(message.blockHolders) }
        if !message.stages.isEmpty { add(stages: message.stages) }
        if !message.removedBroadcasts.isEmpty { broadcasts.remove(message.removedBroadcasts) }
        if !message.broadcastPieces.isEmpty { broadcasts.assign(message.broadcastPieces) }
        if !message.goneBroadcasts.isEmpty { broadcasts.markGone(message.goneBroadcasts) }
        if !message.blockCopies.isEmpty { transfers.copy(message.blockCopies) }
        if !message.outputMoves.isEmpty { adoption.adopt(message.outputMoves) }
        if !message.launches.isEmpty { launch(message.launches) }
        if !message.kills.isEmpty { kill(message.kills) }
        if !message.commitDecisions.isEmpty { commits.decide(message.commitDecisions) }
        if !message.barrierDecisions.isEmpty { barriers.decide(message.barrierDecisions) }
        if !message.removedShuffles.isEmpty { remove(message.removedShuffles) }
        if !message.finishedStages.isEmpty { finish(stages: message.finishedStages) }
        if !message.grants.isEmpty { add(message.grants) }
        for batch in message.grantedBatches { try begin(batch) }
        for grant in message.revokedGrants { revoke(grant) }
        for grant in message.endedGrants { end(grant) }
    }
}
