import MillraceBase

/// Ending several jobs on request: a group, all with a tag, all. One is `failJob`.
extension DAGScheduler {
    mutating func cancel(
        _ selection: JobSelection, reason: String, _ tasks: inout TaskScheduler,
        _ effects: inout Effects
    ) {
        if case .group(let group, andFuture: true) = selection { cancelledGroups.insert(group) }
        var members: [JobID] = []
        for slot in 0..<jobs.slotBound {
            guard let id = jobs.id(at: slot), selection.contains(jobs[slot: slot].properties)
            else { continue }
            members.append(id)
        }
        for id in members.sorted() {
            failJob(id, .cancelled(reason: reason), &tasks, &effects)
        }
    }

    /// Refuses a job of a group that was cancelled with all its future jobs.
    func refuseCancelled(_ job: JobDescription) throws(JobFailure) {
        guard let group = job.properties.group, cancelledGroups.contains(group) else { return }
        throw .cancelled(reason: JobSelection.group(group).defaultReason)
    }
}

/// The groups whose future jobs are cancelled too, the latest ones. Spark's
/// `spark.scheduler.numCancelledJobGroupsToTrack`.
struct CancelledGroups: Sendable {
    let limit: Int
    /// Looked up, never iterated.
    private var names: Set<String> = []
    private var order = RingBuffer<String>(capacity: 8)

    init(limit: Int) { self.limit = limit }

    func contains(_ group: String) -> Bool { !names.isEmpty && names.contains(group) }

    mutating func insert(_ group: String) {
        guard names.insert(group).inserted else { return }
        order.append(group)
        if names.count > limit, let oldest = order.popFirst() { names.remove(oldest) }
    }
}
