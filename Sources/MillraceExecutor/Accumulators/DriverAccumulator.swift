import MillraceBase
import MillraceCore
import Synchronization

/// One accumulator's whole, on the driver: what the program added here and what was merged for
/// good, with the registry for the rest.
///
/// `body` is held while the registry is asked, so that a contribution that moves from the one to
/// the other is seen once. The loop never waits for it.
final class DriverAccumulator<Body: AccumulatorV2>: AnyDriverAccumulator {
    let id: AccumulatorID
    let name: String?
    private let own: Mutex<Body>
    private let registry: AccumulatorRegistry
    /// Longest text that a list of stages keeps of a stage's share.
    private let longestText = 1_000

    init(_ id: AccumulatorID, _ body: Body, name: String?, registry: AccumulatorRegistry) {
        self.id = id
        self.name = name
        self.registry = registry
        own = Mutex(body.copy())
    }

    deinit { registry.forget(id) }

    func add(_ input: Body.Input) {
        // Handed into a lock that it isn't shared beyond.
        nonisolated(unsafe) let input = input
        own.withLock { $0.add(input) }
    }

    func reset() {
        own.withLock { body in
            registry.reset(id)
            body.reset()
        }
    }

    func body(withPartials: Bool) -> Body {
        own.withLock { body in
            let snapshot = registry.snapshot(id, withPartials: withPartials)
            merge(snapshot.settledBytes, into: &body)
            var whole = body.copy()
            if let settled = snapshot.settled { merge(settled, into: &whole) }
            for value in snapshot.live.flatMap(\.values) { merge(value, into: &whole) }
            return whole
        }
    }

    func mergeSettled() { _ = body(withPartials: false) }

    private func merge(_ shares: [StageShare], into body: inout Body) {
        for share in shares {
            guard name != nil, let stage = share.stage, let part = part(share) else {
                for value in share.values { merge(value, into: &body) }
                continue
            }
            registry.note(id, stage, text(part))
            body.merge(part)
        }
    }

    /// A stage's share as one.
    private func part(_ share: StageShare) -> Body? {
        var parts = share.values.compactMap { decode($0) }
        guard !parts.isEmpty else { return nil }
        var whole = parts.removeFirst()
        for part in parts { whole.merge(part) }
        return whole
    }

    private func merge(_ value: AccumulatorValue, into body: inout Body) {
        if let part = decode(value) { body.merge(part) }
    }

    private func decode(_ value: AccumulatorValue) -> Body? {
        do { return try value.decode(Body.self) } catch {
            Log.error(
                "driver", "a contribution to an accumulator cannot be read; it is not counted",
                ["accumulator": name ?? "\(id.rawValue)", "reason": error])
            return nil
        }
    }

    private func text(_ body: Body) -> String { String("\(body.value)".prefix(longestText)) }

    func info() -> AccumulatorInfo {
        let whole = text(body(withPartials: false))
        let running = text(body(withPartials: true))
        let shares = registry.stageShares(id)
        let live = shares.live.compactMap { share in
            share.stage.flatMap { stage in
                part(share).map { AccumulatorInfo.Share(stage: stage, value: text($0)) }
            }
        }
        return AccumulatorInfo(
            id: id, name: name ?? "", value: whole, partialValue: running,
            stages: shares.settled + live)
    }
}

/// A `DriverAccumulator` without its type.
protocol AnyDriverAccumulator: AnyObject, Sendable {
    var id: AccumulatorID { get }
    var name: String? { get }
    func mergeSettled()
    func info() -> AccumulatorInfo
}
