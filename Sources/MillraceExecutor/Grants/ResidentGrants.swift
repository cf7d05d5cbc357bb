import MillraceBase
import MillraceCore

/// The grants that this executor has, and map outputs that came before their batch.
///
/// An executor that hears of a batch sooner than another one may be done with its map tasks before
/// that one knows of the batch. What it announces is kept until then; how much is limited, for a
/// batch that was taken back never comes. What is dropped the driver tells later.
package struct ResidentGrants: Sendable {
    static let earlyLimit = 1_024
    static let earlyBytesLimit = 16 << 20

    private var grants: [GrantID: ResidentGrant] = [:]
    private var early: [MapOutputReady] = []
    private var earlyBytes = 0

    package init() {}

    package var isEmpty: Bool { grants.isEmpty }

    package mutating func add(_ grant: Grant, on executor: ExecutorID) {
        grants[grant.id] = ResidentGrant(grant, on: executor)
    }

    /// Also returns the shuffles of the batch before, which is over.
    package mutating func begin(
        _ batch: GrantedBatch, plans: ResidentPlans
    ) throws(PlanError) -> (ready: ResidentGrant.Ready, over: [ShuffleID]) {
        guard var grant = grants[batch.grant] else {
            throw PlanError("a batch of \(batch.job) under \(batch.grant), which isn't here")
        }
        let over = grant.batch?.granted.shuffles ?? []
        var ready = try grant.begin(batch, plans: plans)
        for output in takeEarly(batch) {
            guard let more = grant.take(output) else { continue }
            ready.tasks += more.tasks
            ready.inputs += more.inputs
        }
        grants[batch.grant] = grant
        return (ready, over)
    }

    package mutating func take(_ output: MapOutputReady) -> ResidentGrant.Ready {
        if let ready = grants[output.grant]?.take(output) { return ready }
        keepEarly(output)
        return ResidentGrant.Ready()
    }

    /// What the driver says of a shuffle's outputs, complete.
    package mutating func take(_ outputs: MapOutputs) -> ResidentGrant.Ready {
        var ready = ResidentGrant.Ready()
        for grant in grants.keys.sorted()
        where grants[grant]?.batch?.granted.shuffles.contains(outputs.shuffle) == true {
            for case let status? in outputs.statuses {
                let output = MapOutputReady(grant: grant, shuffle: outputs.shuffle, status: status)
                guard let more = grants[grant]?.take(output) else { continue }
                ready.tasks += more.tasks
                ready.inputs += more.inputs
            }
        }
        return ready
    }

    /// The grant is over. What was parked, the numbers of its batch's tasks, its shuffles.
    package mutating func remove(
        _ id: GrantID
    ) -> (parked: [QueuedTask], tasks: Range<Int>, shuffles: [ShuffleID])? {
        let kept = early.filter { $0.grant != id }
        earlyBytes = kept.reduce(0) { $0 + $1.size }
        early = kept
        guard var grant = grants.removeValue(forKey: id) else { return nil }
        return (grant.takeParked(), grant.tasks, grant.batch?.granted.shuffles ?? [])
    }

    private mutating func keepEarly(_ output: MapOutputReady) {
        codeProbe(.earlyOutputKept)
        early.append(output)
        earlyBytes += output.size
        while early.count > Self.earlyLimit || earlyBytes > Self.earlyBytesLimit {
            earlyBytes -= early.removeFirst().size
        }
    }

    private mutating func takeEarly(_ batch: GrantedBatch) -> [MapOutputReady] {
        guard !early.isEmpty else { return [] }
        let taken = early.filter { batch.shuffles.contains($0.shuffle) }
        early.removeAll { batch.shuffles.contains($0.shuffle) }
        earlyBytes -= taken.reduce(0) { $0 + $1.size }
        return taken
    }
}
