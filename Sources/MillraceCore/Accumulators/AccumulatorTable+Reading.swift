import MillraceBase

/// What a table holds, and what may be asked of it.
extension AccumulatorTable {
    /// A unit's contribution to one accumulator.
    enum Cell: Sendable {
        case none
        case value(AccumulatorValue)
        /// Counted before the accumulator was reset: never counts again.
        case spent
    }
    struct Column: Sendable {
        let id: AccumulatorID
        /// By unit; short when the last units contribute nothing.
        var cells: [Cell] = []

        var values: [AccumulatorValue] {
            cells.compactMap {
                if case .value(let value) = $0 { value } else { nil }
            }
        }

        subscript(unit: Int) -> Cell {
            get { unit < cells.count ? cells[unit] : .none }
            set {
                while cells.count <= unit { cells.append(.none) }
                cells[unit] = newValue
            }
        }
    }
    struct Partial: Sendable {
        var task: TaskID
        var unit: Int
        var updates: [AccumulatorUpdate]
    }
    struct Origin: Sendable, SlabElement {
        /// The latest stage that contributed.
        var stage: StageID?
        var columns: [Column] = []
        /// By unit accepted, so that partial updates of another attempt don't count beside it.
        var isAccepted: [Bool] = []
        var partials: [Partial] = []

        func column(_ id: AccumulatorID) -> Column? { columns.first { $0.id == id } }

        /// What units that weren't accepted yet have so far, each counted once.
        func partialValues(_ id: AccumulatorID) -> [AccumulatorValue] {
            var latest: [Partial] = []
            for partial in partials where !isAccepted(partial.unit) {
                guard let place = latest.firstIndex(where: { $0.unit == partial.unit }) else {
                    latest.append(partial)
                    continue
                }
                if latest[place].task < partial.task { latest[place] = partial }
            }
            return latest.sorted { $0.unit < $1.unit }.flatMap(\.updates)
                .filter { $0.id == id }.map(\.value)
        }

        private func isAccepted(_ unit: Int) -> Bool {
            unit < isAccepted.count && isAccepted[unit]
        }
        mutating func vacate() { self = Origin() }
    }
    struct Account: Sendable, SlabElement {
        var settled: AccumulatorValue?
        var settledBytes: [StageShare] = []
        mutating func vacate() { settledBytes = [] }
    }

    /// What was settled of an accumulator of numbers; `nil` for nothing.
    public func settled(_ id: AccumulatorID) -> AccumulatorValue? {
        accounts.slot(of: id).flatMap { accounts[slot: $0].settled }
    }

    /// The contributions that may still be replaced, one share for each origin, in a fixed order.
    /// With partial updates, a unit that wasn't accepted yet counts what its latest attempt has
    /// reported.
    public func live(_ id: AccumulatorID, withPartials: Bool = false) -> [StageShare] {
        var shares: [StageShare] = []
        for origin in order {
            let slot = origins.slot(of: origin)!
            var values = origins[slot: slot].column(id)?.values ?? []
            if withPartials { values += origins[slot: slot].partialValues(id) }
            if values.isEmpty { continue }
            shares.append(StageShare(stage: origins[slot: slot].stage, id: id, values: values))
        }
        return shares
    }

    /// The whole of an accumulator of numbers, `nil` for nothing.
    public func total(_ id: AccumulatorID, withPartials: Bool = false) -> AccumulatorValue? {
        let values = live(id, withPartials: withPartials).flatMap(\.values)
        return AccumulatorTable.sum((settled(id).map { [$0] } ?? []) + values)
    }

    /// What settled stages have added to an accumulator of numbers, oldest first; at most the last
    /// `shareLimit` of all accumulators.
    public func settledShares(_ id: AccumulatorID) -> [StageShare] {
        shares.filter { $0.id == id }
    }

    /// Those whose `takeSettledBytes` has something to give.
    public var accumulatorsWithSettledBytes: [AccumulatorID] {
        (0..<accounts.slotBound).compactMap { slot in
            guard let id = accounts.id(at: slot), !accounts[slot: slot].settledBytes.isEmpty else {
                return nil
            }
            return id
        }
    }

    /// Origins whose contributions may still be replaced, or that report partial updates.
    public var liveOrigins: Int { order.count }

    static func sum(_ values: [AccumulatorValue]) -> AccumulatorValue? {
        guard var sum = values.first else { return nil }
        for value in values.dropFirst() { sum = sum.merged(with: value) ?? sum }
        return sum
    }
}

/// What one stage has added to one accumulator.
public struct StageShare: Hashable, Sendable {
    /// `nil` for the updates of failed tasks.
    public var stage: StageID?
    public var id: AccumulatorID
    /// By unit, but for units without; a single sum of numbers that are settled.
    public var values: [AccumulatorValue]

    public init(stage: StageID?, id: AccumulatorID, values: [AccumulatorValue]) {
        self.stage = stage
        self.id = id
        self.values = values
    }
}
