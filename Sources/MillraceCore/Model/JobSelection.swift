/// Several running jobs at once.
public enum JobSelection: Hashable, Sendable {
    /// Those whose `JobProperties.group` it is; with `andFuture`, also those that are submitted
    /// from now on.
    case group(String, andFuture: Bool = false)
    /// Those that have the tag among their `JobProperties.tags`.
    case tag(String)
    case all

    /// Why such a job ended, where the caller gave no reason. Spark's words.
    public var defaultReason: String {
        switch self {
        case .group(let group, _): "part of cancelled job group \(group)"
        case .tag(let tag): "part of cancelled job tag \(tag)"
        case .all: "as part of cancellation of all jobs"
        }
    }

    func contains(_ properties: JobProperties) -> Bool {
        switch self {
        case .group(let group, _): properties.group == group
        case .tag(let tag): properties.tags.contains(tag)
        case .all: true
        }
    }
}
