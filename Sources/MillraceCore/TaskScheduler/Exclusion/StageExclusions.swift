import MillraceBase

/// Where tasks of one stage attempt failed, and what is therefore excluded for one of them or for
/// all. Made with the first failure. Spark's TaskSetExcludelist.
///
/// Looked up by executor or host; the price of a look doesn't depend on how many failed.
struct StageExclusions: Sendable {
    struct Executor: Sendable {
        let executor: Int
        /// Tasks that failed there, and how often.
        fileprivate(set) var tasks: [(index: Int, failures: Int)] = []
        fileprivate(set) var isExcluded = false
    }

    private struct Host: Sendable {
        var tasks: [(index: Int, failures: Int)] = []
        var excludedExecutors = 0
        var isExcluded = false
    }

    /// In the order of their first failure.
    private(set) var executors: [Executor] = []
    private(set) var hostsInOrder: [Int] = []
    private var places: [Int: Int] = [:]
    private var hosts: [Int: Host] = [:]
    /// Of the latest failure, for the message.
    private(set) var latest = ""

    /// What became excluded for the whole stage attempt.
    struct Change: Sendable {
        var executor = false
        var host = false
    }

    mutating func note(
        _ index: Int, on executor: Int, host: Int, _ reason: String, _ rules: ExclusionSettings
    ) -> Change {
        latest = reason
        let place = places[executor] ?? executors.count
        if place == executors.count {
            places[executor] = place
            executors.append(Executor(executor: executor))
        }
        if hosts[host] == nil { hostsInOrder.append(host) }
        StageExclusions.count(index, in: &executors[place].tasks)
        StageExclusions.count(index, in: &hosts[host, default: Host()].tasks)
        var change = Change()
        guard executors[place].tasks.count >= rules.maxFailedTasksPerExecutorInStage,
            !executors[place].isExcluded
        else { return change }
        executors[place].isExcluded = true
        change.executor = true
        hosts[host]!.excludedExecutors += 1
        if hosts[host]!.excludedExecutors >= rules.maxFailedExecutorsPerHostInStage,
            !hosts[host]!.isExcluded
        {
            hosts[host]!.isExcluded = true
            change.host = true
        }
        return change
    }

    private static func count(_ index: Int, in tasks: inout [(index: Int, failures: Int)]) {
        if let place = tasks.firstIndex(where: { $0.index == index }) {
            tasks[place].failures += 1
        } else {
            tasks.append((index, 1))
        }
    }

    /// For all tasks of the stage attempt.
    func excludes(executor: Int, host: Int) -> Bool {
        if let place = places[executor], executors[place].isExcluded { return true }
        return hosts[host]?.isExcluded ?? false
    }

    /// For one task, apart from what holds for all.
    func excludes(_ index: Int, executor: Int, host: Int, _ rules: ExclusionSettings) -> Bool {
        if let place = places[executor],
            StageExclusions.failures(of: index, in: executors[place].tasks)
                >= rules.maxTaskAttemptsPerExecutor
        {
            return true
        }
        guard let known = hosts[host] else { return false }
        return StageExclusions.failures(of: index, in: known.tasks) >= rules.maxTaskAttemptsPerHost
    }

    private static func failures(of index: Int, in tasks: [(index: Int, failures: Int)]) -> Int {
        tasks.first { $0.index == index }?.failures ?? 0
    }
}
