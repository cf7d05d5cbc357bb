import MillraceBase

@testable import MillraceCore

/// Which run of each indeterminate map task a result was made from, directly or through other
/// shuffles: all results of one job must have been made from the same runs.
struct Provenance {
    /// A map task of an indeterminate shuffle, and which of its runs was read.
    private typealias Runs = [[Int]: TaskID]

    /// Also those that are only computed from one.
    private(set) var indeterminate: Set<Int> = []
    private var madeFrom: [TaskID: Runs] = [:]
    private var delivered: [JobID: Runs] = [:]

    /// Shuffles in a row: all behind an indeterminate one are.
    mutating func declare(_ shuffles: [Int], indeterminateFrom first: Int?) {
        guard let first else { return }
        indeterminate.formUnion(shuffles[first...])
    }

    /// A task has read all of its inputs. What is wrong with them, if anything.
    mutating func ran(_ task: TaskID, reading outputs: [MapOutputs]) -> String? {
        var runs: Runs = [:]
        var problem: String?
        for shuffle in outputs {
            for case let status? in shuffle.statuses {
                var read = madeFrom[status.mapTask] ?? [:]
                if indeterminate.contains(shuffle.shuffle.rawValue) {
                    read[[shuffle.shuffle.rawValue, status.mapIndex]] = status.mapTask
                }
                problem = Self.merge(read, into: &runs, "\(task) read") ?? problem
            }
        }
        madeFrom[task] = runs
        return problem
    }

    mutating func deliver(_ task: TaskID, to job: JobID) -> String? {
        Self.merge(
            madeFrom[task] ?? [:], into: &delivered[job, default: [:]], "\(job) got results of")
    }

    private static func merge(_ new: Runs, into runs: inout Runs, _ who: String) -> String? {
        var problem: String?
        for (map, run) in new where runs.updateValue(run, forKey: map) ?? run != run {
            problem = "\(who) two runs of map \(map[1]) of shuffle \(map[0])"
        }
        return problem
    }
}
