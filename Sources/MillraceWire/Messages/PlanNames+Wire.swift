import CMillraceProto
import MillraceBase

/// Plans by their names alone, in both directions.
extension DriverMessage {
    func writePlanNames(into message: inout Millrace__V1__DriverMessage, _ arena: WireArena) {
        (message.n_removed_plans, message.removed_plans) = arena.planNames(removedPlans)
    }

    mutating func readPlanNames(_ message: Millrace__V1__DriverMessage) {
        for index in 0..<message.n_removed_plans {
            removedPlans.append(PlanHash(message.removed_plans[index]!.pointee))
        }
    }
}

extension ExecutorMessage {
    func writePlanNames(into message: inout Millrace__V1__ExecutorMessage, _ arena: WireArena) {
        (message.n_missing_plans, message.missing_plans) = arena.planNames(missingPlans)
    }

    mutating func readPlanNames(_ message: Millrace__V1__ExecutorMessage) {
        for index in 0..<message.n_missing_plans {
            missingPlans.append(PlanHash(message.missing_plans[index]!.pointee))
        }
    }
}

extension WireArena {
    fileprivate func planNames(
        _ plans: [PlanHash]
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Millrace__V1__PlanName>?>?) {
        repeated(plans, Millrace__V1__PlanName.self, millrace__v1__plan_name__init) {
            plan, target in
            target.high = plan.high
            target.low = plan.low
        }
    }
}

extension PlanHash {
    fileprivate init(_ name: Millrace__V1__PlanName) { self.init(high: name.high, low: name.low) }
}
