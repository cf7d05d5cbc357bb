import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceWire

/// Whether and how a node's rows are kept.
struct RDDPersistence: Sendable {
    private(set) var level: StorageLevel?
    /// The operator that keeps the rows, for a local number.
    private var rows: (@Sendable (Int) -> any PlanOperator)?
    /// Throws when the rows cannot be kept that way.
    private var check: (@Sendable () throws -> Void)?
    /// A contradiction in the program, said by the next job.
    private var problem: MillraceError?

    var isKept: Bool { level != nil }

    /// Returns whether anything changed.
    mutating func keep<Element>(_: Element.Type, as level: StorageLevel, of node: RDDID) -> Bool {
        if let known = self.level {
            guard known != level else { return false }
            problem = MillraceError(
                .invalidArgument,
                "\(node) is persisted with level (\(known)) and then with (\(level)): unpersist it "
                    + "before changing its level")
            return true
        }
        self.level = level
        rows = { PersistedRows<Element>(slot: $0) }
        if level.needsBytes { check = { _ = try RowCodec<Element>() } }
        return true
    }

    /// Keeps rows so that none is ever computed again.
    mutating func keepForever<Element>(_: Element.Type) {
        var level = self.level ?? .memoryAndDisk
        level.usesDisk = true
        self.level = level
        rows = { PersistedRows<Element>(slot: $0) }
        check = { _ = try RowCodec<Element>() }
    }

    mutating func forget() { self = RDDPersistence() }

    /// The level and the operator, if rows are kept. Throws what is wrong with keeping them.
    func kept() throws -> (StorageLevel, @Sendable (Int) -> any PlanOperator)? {
        if let problem { throw problem }
        guard let level, let rows else { return nil }
        try check?()
        return (level, rows)
    }
}
