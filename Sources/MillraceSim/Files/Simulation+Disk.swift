import MillraceBase
import MillraceCore
import Synchronization

/// Whose calls the disk gets, and processes that die within one.
extension Simulation {
    /// The driver's number as a process of this life; an executor's is its id.
    var driverProcess: Int { -1 - incarnation }

    func process(of executor: SimulatedExecutor) -> Int { executor.id.rawValue }

    /// The calls from here on are this process's.
    func enter(_ process: Int) {
        let nowMs = now.nanoseconds / 1_000_000
        files.state.withLock { state in
            state.process = process
            state.nowMs = nowMs
        }
    }

    /// The driver or an executor will die within one of its next calls.
    func lightFuse() {
        let calls = 1 + faultChance.below(20)
        let living = executors.filter(\.isAlive)
        let isDriver = living.isEmpty || faultChance.chance(500)
        let process = isDriver ? driverProcess : process(of: faultChance.pick(living))
        files.state.withLock { $0.fuse = (process, calls) }
    }

    /// Ends processes that died within a call.
    func buryTheDead() {
        let dead = files.state.withLock { state in
            defer { state.dead = [] }
            return state.dead
        }
        for process in dead.sorted() {
            if process == driverProcess { crashDriver("it dies while it writes") }
            guard process >= 0 else { continue }
            misfortunes += 1
            exit(executors[process], "it dies while it writes")
        }
    }

    /// Everything stops at once, and the disk keeps what was durable.
    func losePower() {
        note("the power fails")
        misfortunes += 1
        for executor in executors { exit(executor, "the power fails") }
        crashDriver("the power fails")
        files.state.withLock { state in
            state.disk.losePower(&state.chance)
            state.fuse = nil
        }
    }
}
