import MillraceBase
import MillraceCore

/// What jobs are given where they are submitted: their group, description, tags and pool.
///
/// Spark keeps these by thread. A Swift task changes threads, so here they belong either to the
/// context (`setJobGroup`, `addJobTag`: every job submitted from then on) or to a Swift task and
/// its children (`withJobGroup`, `withJobTag`). A task's group and description take the place of
/// the context's, its tags are added to them.
struct JobLabels: Sendable {
    /// Of the running Swift task.
    @TaskLocal static var ofTask = JobLabels()

    var group: String?
    var description: String?
    /// Each once, in the order in which they were added.
    var tags: [String] = []
    /// What tasks find with `TaskContext.localProperty`; each key once.
    var properties: [LocalProperty] = []

    /// The local property that names the scheduling pool, under Spark's name.
    static let poolKey = "spark.scheduler.pool"
    var pool: String {
        properties.last { $0.key == JobLabels.poolKey }?.value ?? PoolSettings.defaultName
    }

    mutating func add(tag: String) {
        if !tags.contains(tag) { tags.append(tag) }
    }

    /// Nil takes the property away.
    mutating func set(_ key: String, to value: String?) {
        properties.removeAll { $0.key == key }
        if let value { properties.append(LocalProperty(key: key, value: value)) }
    }

    func adding(_ inner: JobLabels) -> JobLabels {
        var labels = self
        if let group = inner.group {
            labels.group = group
            labels.description = inner.description
        }
        for tag in inner.tags { labels.add(tag: tag) }
        for property in inner.properties { labels.set(property.key, to: property.value) }
        return labels
    }

    /// The properties of a job that an action called `name` submits.
    func properties(_ name: String) -> JobProperties {
        JobProperties(
            description: description ?? name, group: group, tags: tags,
            pool: pool, localProperties: properties)
    }

    /// A tag that cannot be one is a bug of the program, as in Spark.
    static func check(tag: String) {
        precondition(!tag.isEmpty, "a job tag is not empty")
        precondition(!tag.contains(","), "the job tag \(tag) contains a comma")
    }
}
