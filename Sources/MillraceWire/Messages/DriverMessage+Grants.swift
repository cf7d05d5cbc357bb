import CMillraceProto
import MillraceBase
import MillraceCore

/// Grants and their batches, to protobuf and back.
extension DriverMessage {
    func writeGrants(into message: inout Millrace__V1__DriverMessage, _ arena: WireArena) {
        (message.n_grants, message.grants) = arena.repeated(
            grants, Millrace__V1__Grant.self, millrace__v1__grant__init
        ) { $0.write(into: &$1, arena) }
        (message.n_granted_batches, message.granted_batches) = arena.repeated(
            grantedBatches, Millrace__V1__GrantedBatch.self, millrace__v1__granted_batch__init
        ) { $0.write(into: &$1, arena) }
        message.n_revoked_grants = revokedGrants.count
        message.revoked_grants = arena.numbers(revokedGrants.map(\.rawValue), as: UInt64.self)
        message.n_ended_grants = endedGrants.count
        message.ended_grants = arena.numbers(endedGrants.map(\.rawValue), as: UInt64.self)
    }

    mutating func readGrants(_ message: Millrace__V1__DriverMessage) throws(WireError) {
        for index in 0..<message.n_grants {
            grants.append(try Grant(message.grants[index]!.pointee))
        }
        for index in 0..<message.n_granted_batches {
            grantedBatches.append(try GrantedBatch(message.granted_batches[index]!.pointee))
        }
        for index in 0..<message.n_revoked_grants {
            revokedGrants.append(try GrantID(wire: message.revoked_grants[index]))
        }
        for index in 0..<message.n_ended_grants {
            endedGrants.append(try GrantID(wire: message.ended_grants[index]))
        }
    }
}

extension GrantID {
    init(wire number: UInt64) throws(WireError) {
        guard number <= UInt64(Int32.max) else { throw WireError("grant \(number)") }
        self.init(Int(number))
    }
}

extension Grant {
    fileprivate func write(into message: inout Millrace__V1__Grant, _ arena: WireArena) {
        message.grant_id = UInt64(id.rawValue)
        message.batches = UInt32(batches)
        message.query = arena.string(query ?? "")
        (message.n_local_properties, message.local_properties) = arena.properties(localProperties)
        (message.n_stages, message.stages) = arena.repeated(
            stages, Millrace__V1__GrantedStage.self, millrace__v1__granted_stage__init
        ) { stage, target in
            target.plan_high = stage.plan.high
            target.plan_low = stage.plan.low
            target.n_parents = stage.parents.count
            target.parents = arena.numbers(stage.parents, as: UInt32.self)
            target.reducers = UInt32(stage.reducerCount)
            target.n_executors = stage.executors.count
            target.executors = arena.numbers(stage.executors.map(\.rawValue), as: UInt32.self)
        }
    }

    fileprivate init(_ message: Millrace__V1__Grant) throws(WireError) {
        let query = text(message.query)
        self.init(
            id: try GrantID(wire: message.grant_id), batches: Int(message.batches),
            query: query.isEmpty ? nil : query, stages: [],
            localProperties: LocalProperty.list(
                message.n_local_properties, message.local_properties))
        for index in 0..<message.n_stages {
            let stage = message.stages[index]!.pointee
            let parents = (0..<stage.n_parents).map { Int(stage.parents[$0]) }
            guard parents.allSatisfy({ $0 < index }), stage.n_executors > 0 else {
                throw WireError("stage \(index) of \(id) reads \(parents)")
            }
            stages.append(
                GrantedStage(
                    plan: PlanHash(high: stage.plan_high, low: stage.plan_low), parents: parents,
                    reducerCount: Int(stage.reducers),
                    executors: (0..<stage.n_executors).map {
                        ExecutorID(Int(stage.executors[$0]))
                    }))
        }
        guard !stages.isEmpty else { throw WireError("\(id) has no stages") }
    }
}

extension GrantedBatch {
    fileprivate func write(into message: inout Millrace__V1__GrantedBatch, _ arena: WireArena) {
        message.grant_id = UInt64(grant.rawValue)
        message.job_id = UInt32(job.rawValue)
        message.has_batch = batch == nil ? 0 : 1
        message.batch_id = UInt64(batch?.rawValue ?? 0)
        message.first_stage = UInt32(firstStage.rawValue)
        message.first_task = UInt64(firstTask.rawValue)
        message.n_shuffles = shuffles.count
        message.shuffles = arena.numbers(shuffles.map(\.rawValue), as: UInt32.self)
        message.n_inputs = inputs.count
        let values = arena.make(ProtobufCBinaryData.self, count: inputs.count)
        for (index, input) in inputs.enumerated() { values[index] = arena.bytes(input) }
        message.inputs = values
    }

    fileprivate init(_ message: Millrace__V1__GrantedBatch) throws(WireError) {
        self.init(
            grant: try GrantID(wire: message.grant_id), job: JobID(Int(message.job_id)),
            batch: message.has_batch != 0 ? BatchID(Int(clamping: message.batch_id)) : nil,
            firstStage: StageID(Int(message.first_stage)),
            firstTask: try TaskID(wire: message.first_task),
            shuffles: (0..<message.n_shuffles).map { ShuffleID(Int(message.shuffles[$0])) },
            inputs: (0..<message.n_inputs).map { Array(message.inputs[$0]) })
    }
}
