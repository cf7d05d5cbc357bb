import MillraceBase
import MillraceCore
import MillraceDriver

/// Executors on request, where a program knows better than dynamic allocation. Spark's developer
/// API of the same names. On `local[N]`, whose one executor is the driver, nothing can be asked
/// for.
extension MillraceContext {
    /// Asks for more executors than there should be now. False when they cannot be asked for; that
    /// they come is not promised. With dynamic allocation its next decision wins.
    @discardableResult public func requestExecutors(_ additional: Int) async throws -> Bool {
        guard additional >= 0 else {
            throw MillraceError(
                .invalidArgument, "requestExecutors(\(additional)): the number is not negative")
        }
        return await cluster?.driver.requestExecutors(additional) ?? false
    }

    /// Asks for that many executors in all. Fewer than there are ends none.
    @discardableResult public func requestTotalExecutors(_ total: Int) async throws -> Bool {
        guard total >= 0 else {
            throw MillraceError(
                .invalidArgument, "requestTotalExecutors(\(total)): the number is not negative")
        }
        return await cluster?.driver.requestTotalExecutors(total) ?? false
    }

    /// Ends executors at once; what they run is run again elsewhere and nobody takes their place.
    /// Returns those that were there.
    @discardableResult public func killExecutors(_ executors: [ExecutorID]) async -> [ExecutorID] {
        await cluster?.driver.killExecutors(executors, reason: "killed by the program") ?? []
    }

    @discardableResult public func killExecutor(_ executor: ExecutorID) async -> Bool {
        await killExecutors([executor]) == [executor]
    }

    /// Lets executors go after their last task, without loss; nobody takes their place. Returns
    /// those that were there.
    @discardableResult
    public func decommissionExecutors(_ executors: [ExecutorID]) async -> [ExecutorID] {
        await cluster?.driver.decommissionExecutors(
            executors, reason: "decommissioned by the program", isReplaced: false) ?? []
    }

    /// Waits until so many executors are registered, at most `timeout`; returns how many are.
    @discardableResult
    public func waitForExecutors(_ counts: ClosedRange<Int>, timeout: Duration) async -> Int {
        await cluster?.driver.waitForExecutors(counts, timeout: timeout) ?? 0
    }

    /// What dynamic allocation shows, under Spark's names; nil without it.
    public func allocationGauges() async -> AllocationGauges? {
        await cluster?.driver.allocationGauges() ?? nil
    }
}
