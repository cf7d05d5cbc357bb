import CMillraceProto
import MillraceBase
import MillraceCore

extension WireArena {
    func updates(
        _ updates: [AccumulatorUpdate]
    ) -> (
        count: Int, pointers: UnsafeMutablePointer<UnsafeMutablePointer<AccumulatorUpdateC>?>?
    ) {
        repeated(
            updates, AccumulatorUpdateC.self, millrace__v1__accumulator_update__init
        ) { update, target in
            target.accumulator_id = UInt32(update.id.rawValue)
            switch update.value {
            case .long(let sum, let count):
                target.kind = MILLRACE__V1__ACCUMULATOR_KIND__LONG
                target.long_sum = sum
                target.count = UInt64(bitPattern: count)
            case .double(let sum, let count):
                target.kind = MILLRACE__V1__ACCUMULATOR_KIND__DOUBLE
                target.double_sum = sum
                target.count = UInt64(bitPattern: count)
            case .bytes(let content):
                target.kind = MILLRACE__V1__ACCUMULATOR_KIND__CUSTOM
                target.custom = bytes(content)
            }
        }
    }
}

typealias AccumulatorUpdateC = Millrace__V1__AccumulatorUpdate

extension AccumulatorUpdate {
    /// A repeated field. A kind of another version is opaque bytes.
    static func list(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<AccumulatorUpdateC>?>?
    ) -> [AccumulatorUpdate] {
        // protobuf-c fills every slot of a repeated field.
        (0..<count).map { AccumulatorUpdate(pointers![$0]!.pointee) }
    }

    private init(_ message: AccumulatorUpdateC) {
        let count = Int64(bitPattern: message.count)
        let value: AccumulatorValue =
            switch message.kind {
            case MILLRACE__V1__ACCUMULATOR_KIND__LONG: .long(sum: message.long_sum, count: count)
            case MILLRACE__V1__ACCUMULATOR_KIND__DOUBLE:
                .double(sum: message.double_sum, count: count)
            default: .bytes(Array(message.custom))
            }
        self.init(id: AccumulatorID(Int(message.accumulator_id)), value: value)
    }
}

extension ExecutorMessage {
    func writePartials(into message: inout Millrace__V1__ExecutorMessage, _ arena: WireArena) {
        (message.n_partial_accumulators, message.partial_accumulators) = arena.repeated(
            partialAccumulators, Millrace__V1__PartialAccumulators.self,
            millrace__v1__partial_accumulators__init
        ) { partial, target in
            target.task_id = UInt64(partial.task.rawValue)
            (target.n_updates, target.updates) = arena.updates(partial.updates)
        }
    }

    mutating func readPartials(
        _ message: Millrace__V1__ExecutorMessage
    ) throws(WireError) {
        for index in 0..<message.n_partial_accumulators {
            let partial = message.partial_accumulators[index]!.pointee
            partialAccumulators.append(
                PartialAccumulators(
                    task: try TaskID(wire: partial.task_id),
                    updates: AccumulatorUpdate.list(partial.n_updates, partial.updates)))
        }
    }
}
