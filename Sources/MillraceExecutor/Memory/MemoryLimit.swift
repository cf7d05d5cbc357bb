import MillraceBase

/// What an executor process may use.
public struct MemoryLimit: Hashable, Sendable, CustomStringConvertible {
    public enum Source: String, Hashable, Sendable {
        case setting = "millrace.executor.memory"
        case controlGroup = "its control group"
    }

    public var bytes: Int
    /// Who says so: the smaller of the two.
    public var source: Source

    public init(bytes: Int, source: Source) {
        self.bytes = bytes
        self.source = source
    }

    /// What this process was promised, or less when its control group does not allow that.
    public static func ofThisProcess(promised: ByteCount) -> MemoryLimit {
        guard let allowed = ControlGroup.ofThisProcess()?.limit, allowed < promised.bytes else {
            return MemoryLimit(bytes: promised.bytes, source: .setting)
        }
        Log.warn(
            "executor", "the control group allows less memory than was promised",
            ["allowed": MemoryText.size(allowed), "promised": promised])
        return MemoryLimit(bytes: allowed, source: .controlGroup)
    }

    /// Bytes that nobody may reserve: code, stacks, and the network's buffers, which no ledger
    /// lists. Spark keeps 300 MiB for a JVM's own needs; an idle executor of ours has 17 MiB
    /// resident (2 MiB of it its own), and one reduce task's fetches are below 48 MiB.
    static func reserve(of limit: Int) -> Int { min(64 << 20, limit / 8) }

    public var description: String { "\(MemoryText.size(bytes)) (\(source.rawValue))" }
}
