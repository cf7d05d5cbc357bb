/// In which order the members of a pool, or the pools themselves, are served. Spark's
/// SchedulingMode.
public enum SchedulingMode: String, CaseIterable, ConfChoice {
    /// By job, then by stage.
    case fifo = "FIFO"
    /// By what each has, against its share.
    case fair = "FAIR"
}

/// One pool as a fairscheduler.xml declares it.
public struct PoolSettings: Hashable, Sendable {
    public static let defaultName = "default"

    public var name: String
    public var schedulingMode = SchedulingMode.fifo
    /// Its share against other pools: twice the weight, twice the tasks.
    public var weight = 1
    /// Tasks that it may run before pools that have their minimum get any.
    public var minShare = 0

    public init(name: String) { self.name = name }
}
