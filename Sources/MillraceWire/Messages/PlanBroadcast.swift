import CMillraceProto
import MillraceBase
import MillraceCore

extension DriverMessage {
    /// A plan that is too large to be sent to each executor by the driver: its bytes are those of a
    /// broadcast, fetched by the first task that runs it.
    public struct PlanBroadcast: Hashable, Sendable {
        public var plan: PlanHash
        public var totalBytes: Int
        public var broadcast: BroadcastID

        public init(plan: PlanHash, totalBytes: Int, broadcast: BroadcastID) {
            self.plan = plan
            self.totalBytes = totalBytes
            self.broadcast = broadcast
        }
    }

    func writePlanBroadcasts(
        into message: inout Millrace__V1__DriverMessage, _ arena: WireArena
    ) {
        (message.n_plan_broadcasts, message.plan_broadcasts) = arena.repeated(
            planBroadcasts, Millrace__V1__PlanBroadcast.self, millrace__v1__plan_broadcast__init
        ) { entry, target in
            target.hash_high = entry.plan.high
            target.hash_low = entry.plan.low
            target.total_bytes = UInt64(entry.totalBytes)
            target.broadcast_id = UInt32(entry.broadcast.rawValue)
        }
    }

    mutating func readPlanBroadcasts(_ message: Millrace__V1__DriverMessage) throws(WireError) {
        for index in 0..<message.n_plan_broadcasts {
            // protobuf-c fills every slot of a repeated field.
            let entry = message.plan_broadcasts[index]!.pointee
            guard entry.total_bytes <= UInt64(PlanPiece.largestPlan) else {
                throw WireError("a plan of \(entry.total_bytes) bytes in a broadcast")
            }
            planBroadcasts.append(
                PlanBroadcast(
                    plan: PlanHash(high: entry.hash_high, low: entry.hash_low),
                    totalBytes: Int(entry.total_bytes),
                    broadcast: BroadcastID(Int(entry.broadcast_id))))
        }
    }
}
