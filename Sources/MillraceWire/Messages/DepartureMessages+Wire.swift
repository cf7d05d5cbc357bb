import CMillraceProto
import MillraceBase
import MillraceCore

/// The parts of both messages that are about executors that leave.
extension ExecutorMessage {
    func writeDeparture(into message: inout Millrace__V1__ExecutorMessage, _ arena: WireArena) {
        if let decommission { message.decommission = Self.decommission(decommission, arena) }
        (message.n_moved_outputs, message.moved_outputs) = arena.repeated(
            movedOutputs, Millrace__V1__OutputMoved.self, millrace__v1__output_moved__init
        ) { moved, target in
            let move = arena.make(Millrace__V1__OutputMove.self)
            millrace__v1__output_move__init(move)
            moved.move.write(into: &move.pointee, arena)
            target.move = move
            target.is_moved = moved.isMoved ? 1 : 0
        }
    }

    mutating func readDeparture(_ message: Millrace__V1__ExecutorMessage) throws(WireError) {
        if let order = message.decommission?.pointee { decommission = text(order.reason) }
        for index in 0..<message.n_moved_outputs {
            // protobuf-c fills every slot of a repeated field.
            let moved = message.moved_outputs[index]!.pointee
            guard let move = moved.move?.pointee else {
                throw WireError("a moved output without its name")
            }
            movedOutputs.append(
                .init(move: try OutputMove(move), isMoved: moved.is_moved != 0))
        }
    }

    static func decommission(
        _ reason: String, _ arena: WireArena
    ) -> UnsafeMutablePointer<Millrace__V1__Decommission> {
        let order = arena.make(Millrace__V1__Decommission.self)
        millrace__v1__decommission__init(order)
        order.pointee.reason = arena.string(reason)
        return order
    }
}

extension DriverMessage {
    func writeDeparture(into message: inout Millrace__V1__DriverMessage, _ arena: WireArena) {
        if let decommission {
            message.decommission = ExecutorMessage.decommission(decommission, arena)
        }
        (message.n_output_moves, message.output_moves) = arena.repeated(
            outputMoves, Millrace__V1__OutputMove.self, millrace__v1__output_move__init
        ) { $0.write(into: &$1, arena) }
    }

    mutating func readDeparture(_ message: Millrace__V1__DriverMessage) throws(WireError) {
        if let order = message.decommission?.pointee { decommission = text(order.reason) }
        for index in 0..<message.n_output_moves {
            outputMoves.append(try OutputMove(message.output_moves[index]!.pointee))
        }
    }
}

extension OutputMove {
    fileprivate func write(into message: inout Millrace__V1__OutputMove, _ arena: WireArena) {
        message.shuffle_id = UInt32(shuffle.rawValue)
        message.map_index = UInt32(mapIndex)
        message.map_task = UInt64(mapTask.rawValue)
        message.sizes = arena.bytes(sizes.codes)
        message.from = UInt32(from.rawValue)
        message.to = UInt32(to.rawValue)
    }

    fileprivate init(_ message: Millrace__V1__OutputMove) throws(WireError) {
        self.init(
            shuffle: ShuffleID(Int(message.shuffle_id)), mapIndex: Int(message.map_index),
            mapTask: try TaskID(wire: message.map_task),
            sizes: BlockSizes(codes: Array(message.sizes)),
            from: ExecutorID(Int(message.from)), to: ExecutorID(Int(message.to)))
    }
}
