import MillraceBase

extension TaskEndReason {
    /// One line for logs and errors.
    public var summary: String {
        switch self {
        case .result(let bytes): "result of \(bytes.count) bytes"
        case .mapOutput(let sizes): "map output of about \(sizes.total) bytes"
        case .fetchFailed(let failure): "fetch failed: \(failure)"
        case .exception(let message, _): message
        case .killed(let reason): "killed: \(reason)"
        case .commitDenied: "commit denied"
        case .executorLost(let loss): "executor lost: \(loss.reason)"
        }
    }
}

extension FetchFailure: CustomStringConvertible {
    public var description: String {
        let map = mapIndex.map { "map output \($0)" } ?? "some map output"
        let source = executor.map { "\($0)" } ?? "nowhere"
        return "\(map) of \(shuffle) for reducer \(reduce) from \(source): \(message)"
    }
}
