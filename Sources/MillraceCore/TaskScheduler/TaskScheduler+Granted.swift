import MillraceBase

/// Granted tasks on their executors, where they count beside those that are launched one by one.
extension TaskScheduler {
    /// A granted task went there, and waits for its inputs.
    mutating func park(_ executor: Int) {
        executors.states[executor].parked += 1
        idle.end(executor)
    }

    /// It may run now.
    mutating func occupy(_ executor: Int, for work: Int64) {
        executors.states[executor].parked -= 1
        executors.states[executor].granted += 1
        executors.states[executor].grantedWork += work
        grantedCount += 1
        if executors.states[executor].granted > executors.states[executor].cores {
            grantedWaiting += 1
        }
    }

    /// It has ended. What it was expected to take, if it was runnable; else it was parked.
    mutating func vacate(_ executor: Int, for work: Int64?) {
        guard executors.states[executor].isAlive else { return }
        if let work {
            if executors.states[executor].granted > executors.states[executor].cores {
                grantedWaiting -= 1
            }
            grantedCount -= 1
            executors.states[executor].granted -= 1
            executors.states[executor].grantedWork -= work
            hasRoom(executor)
            if touched.last != executor { touched.append(executor) }
        } else {
            executors.states[executor].parked -= 1
        }
        noteIfIdle(executor)
        noteIfDrained(executor)
    }

    /// The executor is lost.
    mutating func forgetGranted(_ executor: Int) {
        grantedCount -= executors.states[executor].granted
        grantedWaiting -= executors.states[executor].grantedWaiting
        executors.states[executor].granted = 0
        executors.states[executor].grantedWork = 0
        executors.states[executor].parked = 0
    }
}
