import MillraceBase

/// The contributions to all accumulators of an application, as `AccumulatorChange`s make them.
///
/// An accumulator's value is what was settled, then the contributions that can still be replaced,
/// in the order of their origins and units: the same whatever the order in which tasks ended, also
/// for floating-point sums. Settled numbers are summed up here; settled bytes wait until they're
/// taken (`takeSettledBytes`) by whoever can merge them. Contributions to an accumulator that isn't
/// registered, or is forgotten, are dropped.
public struct AccumulatorTable: Sendable {
    private(set) var origins = IdentifierMap<AccumulatorOrigin, Origin>()
    /// In ascending order, for reading.
    private(set) var order: [AccumulatorOrigin] = []
    private(set) var accounts = IdentifierMap<AccumulatorID, Account>()
    /// What settled stages have added in numbers, oldest first: the last `shareLimit`.
    private(set) var shares: [StageShare] = []

    /// Spark's `spark.ui.retainedStages`.
    public static let shareLimit = 1_000

    public init() {}

    // MARK: Accumulators come and go

    public mutating func register(_ id: AccumulatorID) { accounts.insert(Account(), for: id) }

    public mutating func forget(_ id: AccumulatorID) {
        accounts.remove(id)
        shares.removeAll { $0.id == id }
        for origin in order {
            let slot = origins.slot(of: origin)!
            origins[slot: slot].columns.removeAll { $0.id == id }
        }
    }

    /// Starts again from nothing. What was accepted so far doesn't count again when it's computed
    /// again: each unit counts in the time of its first acceptance.
    public mutating func reset(_ id: AccumulatorID) {
        guard let account = accounts.slot(of: id) else { return }
        accounts[slot: account] = Account()
        for origin in order {
            let slot = origins.slot(of: origin)!
            guard let place = origins[slot: slot].columns.firstIndex(where: { $0.id == id }) else {
                continue
            }
            for unit in origins[slot: slot].columns[place].cells.indices {
                if case .value = origins[slot: slot].columns[place].cells[unit] {
                    origins[slot: slot].columns[place].cells[unit] = .spent
                }
            }
        }
    }

    // MARK: What happens

    public mutating func apply(_ change: AccumulatorChange) {
        switch change {
        case .contributed(let origin, let unit, let stage, let updates):
            contribute(origin, unit, stage, updates)
        case .settled(let origin): settle(origin)
        case .retracted(let origin): remove(origin)
        case .failed(let updates): for update in updates { settle(update.id, [update.value], nil) }
        case .partial(let origin, let unit, let task, let updates):
            let slot = slot(of: origin)
            let partial = Partial(task: task, unit: unit, updates: updates)
            if let place = origins[slot: slot].partials.firstIndex(where: { $0.task == task }) {
                origins[slot: slot].partials[place] = partial
            } else {
                origins[slot: slot].partials.append(partial)
            }
        case .partialEnded(let origin, _, let task):
            guard let slot = origins.slot(of: origin) else { return }
            origins[slot: slot].partials.removeAll { $0.task == task }
            if origins[slot: slot].partials.isEmpty, origins[slot: slot].stage == nil {
                remove(origin)
            }
        }
    }

    private mutating func contribute(
        _ origin: AccumulatorOrigin, _ unit: Int, _ stage: StageID, _ updates: [AccumulatorUpdate]
    ) {
        let slot = slot(of: origin)
        origins[slot: slot].stage = stage
        while origins[slot: slot].isAccepted.count <= unit {
            origins[slot: slot].isAccepted.append(false)
        }
        origins[slot: slot].isAccepted[unit] = true
        for place in origins[slot: slot].columns.indices {
            if case .value = origins[slot: slot].columns[place][unit] {
                origins[slot: slot].columns[place][unit] = .none
            }
        }
        for update in updates where accounts.contains(update.id) {
            var place = origins[slot: slot].columns.firstIndex { $0.id == update.id }
            if place == nil {
                place = origins[slot: slot].columns.count
                origins[slot: slot].columns.append(Column(id: update.id))
            }
            guard case .none = origins[slot: slot].columns[place!][unit] else { continue }
            origins[slot: slot].columns[place!][unit] = .value(update.value)
        }
    }

    private mutating func settle(_ origin: AccumulatorOrigin) {
        guard let slot = origins.slot(of: origin) else { return }
        let stage = origins[slot: slot].stage
        for column in origins[slot: slot].columns {
            settle(column.id, column.values, stage)
        }
        remove(origin)
    }

    private mutating func settle(
        _ id: AccumulatorID, _ values: [AccumulatorValue], _ stage: StageID?
    ) {
        guard let slot = accounts.slot(of: id), let first = values.first else { return }
        var share = StageShare(stage: stage, id: id, values: values)
        if case .bytes = first {
            accounts[slot: slot].settledBytes.append(share)
            return
        }
        guard let sum = AccumulatorTable.sum(values) else { return }
        accounts[slot: slot].settled =
            accounts[slot: slot].settled.map { $0.merged(with: sum) ?? $0 } ?? sum
        share.values = [sum]
        if shares.count == AccumulatorTable.shareLimit { shares.removeFirst() }
        shares.append(share)
    }

    /// The settled bytes that were not taken yet, for the caller to merge and keep.
    public mutating func takeSettledBytes(_ id: AccumulatorID) -> [StageShare] {
        guard let slot = accounts.slot(of: id), !accounts[slot: slot].settledBytes.isEmpty else {
            return []
        }
        defer { accounts[slot: slot].settledBytes = [] }
        return accounts[slot: slot].settledBytes
    }

    private mutating func slot(of origin: AccumulatorOrigin) -> Int {
        if let slot = origins.slot(of: origin) { return slot }
        let place = order.lastIndex { $0 < origin }.map { $0 + 1 } ?? 0
        order.insert(origin, at: place)
        return origins.insert(Origin(), for: origin)
    }

    private mutating func remove(_ origin: AccumulatorOrigin) {
        guard origins.contains(origin) else { return }
        origins.remove(origin)
        order.removeAll { $0 == origin }
    }
}
