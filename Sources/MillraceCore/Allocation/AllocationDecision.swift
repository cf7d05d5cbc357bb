import MillraceBase

/// What dynamic allocation decided and why, for people.
public enum AllocationDecision: Hashable, Sendable, CustomStringConvertible {
    /// Another number of executors is asked for. `slots` are those that streaming queries want.
    case requested(total: Int, was: Int, needed: Int, SchedulerLoad, slots: Int)
    /// The backend didn't take the request; it's made again.
    case refused(total: Int)
    /// These were idle for long enough; `staying` are left.
    case removed([ExecutorID], staying: Int)

    public var level: LogLevel {
        if case .refused = self { .warn } else { .info }
    }

    public var description: String {
        switch self {
        case .requested(let total, let was, let needed, let load, let slots):
            let streams = slots > 0 ? "; streaming queries want \(slots) slots" : ""
            let why = """
                \(load.pending + load.pendingSpeculative) tasks wait and \(load.running) run, \
                which need \(needed)\(streams)
                """
            return "\(total) executors are wanted instead of \(was): \(why)"
        case .refused(let total): return "cannot ask for \(total) executors; will try again"
        case .removed(let executors, let staying):
            let names = executors.map { "\($0)" }.joined(separator: ", ")
            return "\(names) idle for too long, and not needed; \(staying) executors stay"
        }
    }
}
