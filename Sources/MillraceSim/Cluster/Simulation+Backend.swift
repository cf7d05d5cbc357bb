import MillraceBase
import MillraceCore
import MillraceDriver

/// Where executors come from: as many as are wanted, replaced when they are lost, more or fewer
/// when the driver says so. As `LocalClusterBackend` does it.
struct Backend {
    var wanted: Int
    /// Most it can start.
    let limit: Int
    /// On their way.
    var starting = 0
    /// Those that run and were not asked to end.
    var staying: Set<ExecutorID> = []
}

extension Simulation {
    func newBackend() -> Backend {
        let allocation = plan.settings.allocation
        return Backend(
            wanted: allocation?.initialExecutors ?? plan.executors,
            limit: max(plan.executors, allocation?.maxExecutors ?? 0))
    }

    /// Starts what is missing. Too many are left alone: who is to go is not decided here.
    func fill(after delay: Duration) {
        while backend.starting + backend.staying.count < backend.wanted {
            backend.starting += 1
            schedule(.executorStart(incarnation: incarnation), after: netChance.delay(delay))
        }
    }

    /// So many are wanted from now on. Now and then the cluster says no.
    func request(_ total: Int) -> Bool {
        note("the driver wants \(total) executors")
        if !isCalm, faultChance.chance(weather.refusedRequests) {
            note("the cluster has none to give")
            return false
        }
        backend.wanted = min(total, backend.limit)
        fill(after: .milliseconds(5))
        return true
    }

    /// The driver let go of it.
    func release(_ executor: ExecutorID, _ reason: String) {
        note("the driver lets go of \(executor): \(reason)")
        backend.staying.remove(executor)
        // Not at once: the driver may want fewer now, and says so next.
        schedule(.refill(incarnation: incarnation), after: .milliseconds(1))
    }

    /// It is gone, or not to be trusted.
    func replace(_ executor: ExecutorID) {
        guard backend.staying.remove(executor) != nil else { return }
        fill(after: plan.replacementDelay)
    }
}
