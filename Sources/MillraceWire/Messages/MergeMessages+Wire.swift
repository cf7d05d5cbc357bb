import CMillraceProto
import MillraceBase
import MillraceCore

/// The parts of messages that are about push-based merge.
extension ExecutorMessage {
    func writePushes(into message: inout Millrace__V1__ExecutorMessage, _ arena: WireArena) {
        (message.n_pushed_outputs, message.pushed_outputs) = arena.repeated(
            pushedOutputs, Millrace__V1__PushedOutput.self, millrace__v1__pushed_output__init
        ) { output, target in
            target.shuffle_id = UInt32(output.shuffle.rawValue)
            target.merge_id = UInt64(output.merge)
            target.map_index = UInt32(output.mapIndex)
            target.map_task = UInt64(output.mapTask.rawValue)
        }
    }

    mutating func readPushes(_ message: Millrace__V1__ExecutorMessage) throws(WireError) {
        for index in 0..<message.n_pushed_outputs {
            // protobuf-c fills every slot of a repeated field.
            let output = message.pushed_outputs[index]!.pointee
            pushedOutputs.append(
                PushedOutput(
                    shuffle: ShuffleID(Int(output.shuffle_id)),
                    merge: Int(clamping: output.merge_id), mapIndex: Int(output.map_index),
                    mapTask: try TaskID(wire: output.map_task)))
        }
    }
}

extension StageSetup {
    func writeMerge(into message: inout Millrace__V1__StageSetup, _ arena: WireArena) {
        guard let merge else { return }
        message.merge_id = UInt64(merge.merge)
        message.n_mergers = merge.mergers.count
        message.mergers = arena.numbers(merge.mergers.map(\.rawValue), as: UInt32.self)
    }

    static func readMerge(_ message: Millrace__V1__StageSetup) -> MergePlan? {
        MergePlan(message.merge_id, message.n_mergers, message.mergers)
    }
}

extension MapOutputs {
    func writeMerged(into message: inout Millrace__V1__MapOutputs, _ arena: WireArena) {
        guard let merged else { return }
        message.merge_id = UInt64(merged.plan.merge)
        message.n_mergers = merged.plan.mergers.count
        message.mergers = arena.numbers(merged.plan.mergers.map(\.rawValue), as: UInt32.self)
        message.merged_sizes = arena.bytes(merged.sizes.codes)
    }

    static func readMerged(_ message: Millrace__V1__MapOutputs) -> MergedOutputs? {
        MergePlan(message.merge_id, message.n_mergers, message.mergers).map {
            MergedOutputs(plan: $0, sizes: BlockSizes(codes: Array(message.merged_sizes)))
        }
    }
}

extension MergePlan {
    /// nil when nobody merges.
    fileprivate init?(_ merge: UInt64, _ count: Int, _ mergers: UnsafeMutablePointer<UInt32>?) {
        guard count > 0, let mergers else { return nil }
        self.init(
            merge: Int(clamping: merge),
            mergers: (0..<count).map { ExecutorID(Int(mergers[$0])) })
    }
}
