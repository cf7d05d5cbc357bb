import MillraceBase
import MillraceCore

/// The accumulators of an application, kept as the driver keeps them, and what they must come to.
///
/// Each shuffle and each job counts its rows in an accumulator of its own: however often its
/// partitions were computed, each counts once.
struct Ledger {
    private(set) var table = AccumulatorTable()
    private var registered: Set<AccumulatorID> = []

    static func accumulator(of shuffle: ShuffleID) -> AccumulatorID {
        AccumulatorID(shuffle.rawValue * 2)
    }

    static func accumulator(of job: JobID) -> AccumulatorID { AccumulatorID(job.rawValue * 2 + 1) }

    static func accumulator(of query: SimulatedQuery) -> AccumulatorID {
        AccumulatorID(1_000_000_000 + query.number)
    }

    /// What a task that made these rows adds.
    static func updates(_ program: Program, _ rows: [Row]) -> [AccumulatorUpdate] {
        guard let id = program.accumulator else { return [] }
        return [AccumulatorUpdate(id: id, value: sum(rows))]
    }

    static func sum(_ rows: some Sequence<Row>) -> AccumulatorValue {
        var sum: Int64 = 0
        var count: Int64 = 0
        for row in rows {
            sum += row.value
            count += 1
        }
        return .long(sum: sum, count: count)
    }

    mutating func open(_ id: AccumulatorID) {
        if registered.insert(id).inserted { table.register(id) }
    }

    mutating func apply(_ change: AccumulatorChange) { table.apply(change) }

    /// The total differs from what all these rows come to.
    func differs(_ id: AccumulatorID, from rows: [[Row]]) -> Bool {
        (table.total(id) ?? Ledger.sum([])) != Ledger.sum(rows.joined())
    }

    /// More was counted than there is.
    func exceeds(_ id: AccumulatorID, _ rows: [[Row]]) -> Bool {
        guard case .long(let sum, let count) = table.total(id, withPartials: true) else {
            return false
        }
        guard case .long(let all, let most) = Ledger.sum(rows.joined()) else { return false }
        return count > most || sum > all
    }
}
