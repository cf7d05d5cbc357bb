import MillraceBase

/// Who holds how much of an executor's memory, at one instant.
public struct MemoryLedger: Sendable, CustomStringConvertible {
    public struct Entry: Hashable, Sendable, CustomStringConvertible {
        /// What holds it: "sort", "cached blocks".
        public var name: String
        /// nil: it belongs to no task.
        public var task: TaskID?
        public var bytes: Int
        public var peak: Int

        init(_ name: String, task: TaskID?, _ tally: MemoryTally) {
            self.name = name
            self.task = task
            bytes = tally.used
            peak = tally.peak
        }

        public var description: String {
            let owner = task.map { " of task \($0.rawValue)" } ?? ""
            let most = peak > bytes ? " (at most \(MemoryText.size(peak)))" : ""
            return "\(name)\(owner) \(MemoryText.size(bytes))\(most)"
        }
    }

    public let limit: MemoryLimit
    /// What execution and storage share, and what each has of it.
    public let total: Int
    public let executionUsed: Int
    public let storageUsed: Int
    /// Largest first.
    public let entries: [Entry]

    init(
        limit: MemoryLimit, total: Int, executionUsed: Int, storageUsed: Int, entries: [Entry]
    ) {
        self.limit = limit
        self.total = total
        self.executionUsed = executionUsed
        self.storageUsed = storageUsed
        self.entries = entries.sorted {
            ($1.bytes, $0.name, $0.task?.rawValue ?? -1)
                < ($0.bytes, $1.name, $1.task?.rawValue ?? -1)
        }
    }

    /// How many consumers a line names.
    private static let named = 5

    /// One line: "execution 180.0 MiB and storage 40.2 MiB of 268.8 MiB; sort of task 12 180.0 MiB,
    /// cached blocks 40.2 MiB".
    public var description: String {
        let sums = """
            execution \(MemoryText.size(executionUsed)) and storage \
            \(MemoryText.size(storageUsed)) of \(MemoryText.size(total))
            """
        if entries.isEmpty { return sums }
        let largest = entries.prefix(Self.named).map(\.description).joined(separator: ", ")
        let rest = entries.count - Self.named
        return "\(sums); \(largest)\(rest > 0 ? " and \(rest) more" : "")"
    }
}

/// A reservation could not be met, although all that could be spilled was. Fails the task.
public struct MemoryExhausted: Error, Sendable, CustomStringConvertible {
    public let consumer: String
    public let task: TaskID
    public let wanted: Int
    public let granted: Int
    public let ledger: MemoryLedger

    public var description: String {
        """
        out of memory: \(consumer) of task \(task.rawValue) wants \(MemoryText.size(wanted)) more \
        and can have \(MemoryText.size(granted)) (\(ledger)); give executors more memory \
        (millrace.executor.memory, now \(MemoryText.size(ledger.limit.bytes))) or use more \
        partitions
        """
    }
}

/// Sizes for people.
enum MemoryText {
    /// "512 B", "64.0 KiB", "268.8 MiB", "3.2 GiB".
    static func size(_ bytes: Int) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var shift = 10
        var units = ["KiB", "MiB", "GiB", "TiB"][...]
        while units.count > 1, bytes >> (shift + 10) > 0 {
            shift += 10
            units.removeFirst()
        }
        let tenths = ((bytes >> (shift - 10)) * 10) >> 10
        return "\(tenths / 10).\(tenths % 10) \(units.first!)"
    }
}
