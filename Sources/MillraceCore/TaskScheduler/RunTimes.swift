import MillraceBase

/// How long the tasks of a plan took when it last ran, so that a resident plan's next stage knows
/// from its first task.
///
/// Looked up once for each task set, never iterated. Forgets everything when full: what is still in
/// use is learned again in a task or two.
struct RunTimes: Sendable {
    static let limit = 1_024

    private var nanoseconds: [PlanHash: Int64] = [:]

    /// 0 when unknown.
    subscript(plan: PlanHash) -> Int64 {
        get { nanoseconds[plan] ?? 0 }
        set {
            guard newValue > 0 else { return }
            if nanoseconds.count >= RunTimes.limit { nanoseconds.removeAll(keepingCapacity: true) }
            nanoseconds[plan] = newValue
        }
    }
}
