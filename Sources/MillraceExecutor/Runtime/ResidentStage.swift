import MillraceBase
import MillraceCore
import Synchronization

/// One attempt of one stage on this executor: its resident plan bound to shuffles and batch. Shared
/// by its tasks.
final class ResidentStage: Sendable {
    let setup: StageSetup
    private let plans: ResidentPlans
    private let decoded = Mutex<ExecutablePlan?>(nil)

    init(setup: StageSetup, plans: ResidentPlans) {
        self.setup = setup
        self.plans = plans
    }

    func executable() throws -> ExecutablePlan {
        if let plan = decoded.withLock({ $0 }) { return plan }
        let plan = try plans.executable(setup.plan)
        decoded.withLock { $0 = plan }
        return plan
    }
}
