import MillraceBase
import MillraceCore
import MillraceDriver
import Synchronization

/// Naming jobs together and cancelling them. Spark's methods of SparkContext; what is said of the
/// context here holds by thread there (`JobLabels`).
///
/// A cancelled job's action throws `MillraceError.cancelled` with the reason; its tasks are asked
/// to end. Nothing happens to jobs that have ended already. Cancelling never waits.
extension MillraceContext {
    // MARK: Groups and tags

    /// The group of jobs submitted from now on, and what they are for.
    public func setJobGroup(_ group: String, description: String? = nil) {
        labels.withLock {
            $0.group = group
            $0.description = description
        }
    }

    public func clearJobGroup() {
        labels.withLock {
            $0.group = nil
            $0.description = nil
        }
    }

    /// Gives jobs submitted from now on a tag, beside those they have. A tag is not empty and has
    /// no comma.
    public func addJobTag(_ tag: String) {
        JobLabels.check(tag: tag)
        labels.withLock { $0.add(tag: tag) }
    }

    /// Nothing when jobs don't have the tag.
    public func removeJobTag(_ tag: String) {
        labels.withLock { $0.tags.removeAll { $0 == tag } }
    }

    public func clearJobTags() { labels.withLock { $0.tags.removeAll() } }

    /// The tags of a job submitted here, those of this Swift task included.
    public var jobTags: [String] { currentLabels.tags }

    /// Runs `body` with a group for the jobs that it and its child tasks submit.
    public func withJobGroup<Result>(
        _ group: String, description: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        let labels = JobLabels.ofTask.adding(JobLabels(group: group, description: description))
        return try await JobLabels.$ofTask.withValue(labels, operation: body)
    }

    /// Runs `body` with one more tag for the jobs that it and its child tasks submit.
    public func withJobTag<Result>(
        _ tag: String, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        JobLabels.check(tag: tag)
        let labels = JobLabels.ofTask.adding(JobLabels(tags: [tag]))
        return try await JobLabels.$ofTask.withValue(labels, operation: body)
    }

    // MARK: Local properties

    /// What tasks of jobs submitted from now on find with `TaskContext.localProperty`; nil takes it
    /// away. Spark's `setLocalProperty`.
    public func setLocalProperty(_ key: String, _ value: String?) {
        labels.withLock { $0.set(key, to: value) }
    }

    /// Runs `body` with a local property for the jobs that it and its child tasks submit.
    public func withLocalProperty<Result>(
        _ key: String, _ value: String, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        let inner = JobLabels(properties: [LocalProperty(key: key, value: value)])
        let labels = JobLabels.ofTask.adding(inner)
        return try await JobLabels.$ofTask.withValue(labels, operation: body)
    }

    // MARK: Pools

    /// The scheduling pool of jobs submitted from now on and of streaming queries started from now
    /// on; `nil` is the pool `default`. Counts with `millrace.scheduler.mode=FAIR`. The same as
    /// `setLocalProperty("spark.scheduler.pool", …)`.
    public func setSchedulerPool(_ pool: String?) { setLocalProperty(JobLabels.poolKey, pool) }

    /// Runs `body` with a pool for the jobs that it and its child tasks submit, and for the
    /// streaming queries that they start.
    public func withSchedulerPool<Result>(
        _ pool: String, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await withLocalProperty(JobLabels.poolKey, pool, body)
    }

    /// The pool of a job submitted here.
    public var schedulerPool: String { currentLabels.pool }

    var currentLabels: JobLabels { labels.withLock { $0 }.adding(JobLabels.ofTask) }

    // MARK: Cancelling

    public func cancelJob(_ job: JobID, reason: String? = nil) {
        cluster?.driver.cancel(job, reason: reason ?? "on request")
    }

    /// Cancels the running jobs of a group.
    public func cancelJobGroup(_ group: String, reason: String? = nil) {
        cancel(.group(group), reason)
    }

    /// Cancels the running jobs of a group, and every job that is submitted in it later (of the
    /// latest `millrace.scheduler.numCancelledJobGroupsToTrack` such groups).
    public func cancelJobGroupAndFutureJobs(_ group: String, reason: String? = nil) {
        cancel(.group(group, andFuture: true), reason)
    }

    /// Cancels the running jobs that have this tag.
    public func cancelJobsWithTag(_ tag: String, reason: String? = nil) {
        JobLabels.check(tag: tag)
        cancel(.tag(tag), reason)
    }

    /// Cancels all running jobs, those of streaming queries too.
    public func cancelAllJobs() { cancel(.all, nil) }

    private func cancel(_ jobs: JobSelection, _ reason: String?) {
        cluster?.driver.cancel(jobs, reason: reason ?? jobs.defaultReason)
    }

    /// The running jobs, in the order of their submission. Spark's `statusTracker`.
    public func activeJobs() async throws -> [JobInfo] {
        try await cluster?.driver.status().jobs.map {
            JobInfo(
                id: $0.id, description: $0.properties.description, group: $0.properties.group,
                tags: $0.properties.tags)
        } ?? []
    }
}

/// One running job of an application.
public struct JobInfo: Hashable, Sendable {
    public var id: JobID
    public var description: String
    public var group: String?
    public var tags: [String]
}
