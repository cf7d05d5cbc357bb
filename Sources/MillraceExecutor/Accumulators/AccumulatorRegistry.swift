import MillraceBase
import MillraceCore
import Synchronization

/// The accumulators of an application on its driver: who they are, and what was contributed.
///
/// The driver's loop says what is to be counted (`apply`), the program's threads read and merge:
/// the program's own code never runs on the loop. What waits to be merged is merged when a job ends
/// (`mergeSettled`) or a value is read, so that it doesn't pile up.
public final class AccumulatorRegistry: Sendable {
    private struct Entry {
        weak var whole: (any AnyDriverAccumulator)?
    }
    private struct State {
        var table = AccumulatorTable()
        var entries: [AccumulatorID: Entry] = [:]
        var next = AccumulatorID(0)
        /// What settled stages have added to accumulators of other things than numbers, as text;
        /// oldest first.
        var shares: [(id: AccumulatorID, stage: StageID, value: String)] = []
    }

    private let state = Mutex(State())

    public init() {}

    // MARK: Accumulators

    /// A new accumulator that begins with `body`. A body that breaks the rules of `AccumulatorV2`
    /// is a bug of the program.
    public func register<Body: AccumulatorV2>(
        _ body: Body, name: String? = nil, countsFailedValues: Bool = false
    ) -> Accumulator<Body> {
        var zero = body.copy()
        if Body.self is AnyObject.Type {
            precondition(
                zero as AnyObject !== body as AnyObject,
                "\(Body.self) is a class, and its copy() gives the same object")
        }
        zero.reset()
        precondition(zero.isZero, "\(Body.self) says after reset() that it isn't zero")
        let id = state.withLock { state in
            defer { state.next = state.next.next }
            state.table.register(state.next)
            return state.next
        }
        let whole = DriverAccumulator(id, body, name: name, registry: self)
        state.withLock { $0.entries[id] = Entry(whole: whole) }
        return Accumulator(whole, zero: zero, countsFailedValues: countsFailedValues)
    }

    func forget(_ id: AccumulatorID) {
        state.withLock { state in
            state.entries[id] = nil
            state.table.forget(id)
            state.shares.removeAll { $0.id == id }
        }
    }

    // MARK: Contributions

    /// What the scheduler decided, in its order. Any thread; never runs code of the program.
    public func apply(_ change: AccumulatorChange) { state.withLock { $0.table.apply(change) } }

    /// Merges what can't change any more and waits for it. Runs code of the program.
    public func mergeSettled() {
        let waiting = state.withLock { state in
            state.table.accumulatorsWithSettledBytes.compactMap { state.entries[$0]?.whole }
        }
        for whole in waiting { whole.mergeSettled() }
    }

    /// All that counts towards an accumulator, and is not in its body yet.
    struct Snapshot {
        /// For the caller to merge into the body and keep there.
        var settledBytes: [StageShare]
        var settled: AccumulatorValue?
        var live: [StageShare]
    }

    func snapshot(_ id: AccumulatorID, withPartials: Bool) -> Snapshot {
        state.withLock { state in
            Snapshot(
                settledBytes: state.table.takeSettledBytes(id), settled: state.table.settled(id),
                live: state.table.live(id, withPartials: withPartials))
        }
    }

    func reset(_ id: AccumulatorID) { state.withLock { $0.table.reset(id) } }

    func note(_ id: AccumulatorID, _ stage: StageID, _ value: String) {
        state.withLock { state in
            if state.shares.count == AccumulatorTable.shareLimit { state.shares.removeFirst() }
            state.shares.append((id, stage, value))
        }
    }

    // MARK: For people

    /// The named accumulators, in the order in which they were made.
    public var infos: [AccumulatorInfo] {
        // The last reference must not go while the lock is held: its end takes the lock.
        let all = state.withLock { $0.entries.values.compactMap(\.whole) }
        return all.filter { $0.name != nil }.sorted { $0.id < $1.id }.map { $0.info() }
    }

    /// What stages have added to an accumulator, oldest first: those that are settled, and those
    /// whose contributions may still be replaced. In one look, because a stage that is settled
    /// meanwhile would be among both.
    func stageShares(
        _ id: AccumulatorID
    ) -> (settled: [AccumulatorInfo.Share], live: [StageShare]) {
        state.withLock { state in
            let numbers = state.table.settledShares(id).compactMap { share in
                share.stage.map { AccumulatorInfo.Share(stage: $0, value: share.values[0].text) }
            }
            let others = state.shares.filter { $0.id == id }.map {
                AccumulatorInfo.Share(stage: $0.stage, value: $0.value)
            }
            return (numbers + others, state.table.live(id))
        }
    }
}

/// A named accumulator as a UI shows it. Spark's AccumulableInfo.
public struct AccumulatorInfo: Hashable, Sendable {
    /// What one stage has added.
    public struct Share: Hashable, Sendable {
        public var stage: StageID
        public var value: String
    }
    public var id: AccumulatorID
    public var name: String
    public var value: String
    /// With what running tasks have added so far.
    public var partialValue: String
    /// Of the latest stages, oldest first; a stage that is running shows what is accepted.
    public var stages: [Share]
}

extension AccumulatorValue {
    fileprivate var text: String {
        switch self {
        case .long(let sum, _): "\(sum)"
        case .double(let sum, _): "\(sum)"
        case .bytes(let bytes): "\(bytes.count) bytes"
        }
    }
}
