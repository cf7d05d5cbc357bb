import CMillraceProto
import MillraceBase
import MillraceCore

extension DriverMessage {
    /// The message as protobuf. `arena` is reset.
    public func encoded(arena: WireArena) -> [UInt8] {
        arena.reset()
        var message = Millrace__V1__DriverMessage()
        millrace__v1__driver_message__init(&message)
        writeSession(into: &message, arena)
        (message.n_map_outputs, message.map_outputs) = arena.repeated(
            mapOutputs, Millrace__V1__MapOutputs.self, millrace__v1__map_outputs__init
        ) { $0.write(into: &$1, arena) }
        (message.n_stages, message.stages) = arena.repeated(
            stages, Millrace__V1__StageSetup.self, millrace__v1__stage_setup__init
        ) { $0.write(into: &$1, arena) }
        (message.n_launches, message.launches) = arena.repeated(
            launches, Millrace__V1__TaskLaunch.self, millrace__v1__task_launch__init
        ) { $0.write(into: &$1, arena) }
        (message.n_kills, message.kills) = arena.repeated(
            kills, Millrace__V1__TaskKill.self, millrace__v1__task_kill__init
        ) { kill, target in
            target.task_id = UInt64(kill.task.rawValue)
            target.reason = arena.string(kill.reason)
        }
        message.n_removed_shuffles = removedShuffles.count
        message.removed_shuffles = arena.numbers(removedShuffles.map(\.rawValue), as: UInt32.self)
        message.n_lost_peers = lostPeers.count
        message.lost_peers = arena.numbers(lostPeers.map(\.rawValue), as: UInt32.self)
        message.n_finished_stages = finishedStages.count
        message.finished_stages = arena.numbers(finishedStages.map(\.rawValue), as: UInt32.self)
        writeBlocks(into: &message, arena)
        writeDeparture(into: &message, arena)
        writeBarriers(into: &message, arena)
        writeGrants(into: &message, arena)
        writePlanNames(into: &message, arena)
        writePlanBroadcasts(into: &message, arena)
        let size = millrace__v1__driver_message__get_packed_size(&message)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = millrace__v1__driver_message__pack(&message, buffer.baseAddress)
        }
    }

    private func writeSession(into message: inout Millrace__V1__DriverMessage, _ arena: WireArena) {
        if let registered {
            let answer = arena.make(Millrace__V1__Registered.self)
            millrace__v1__registered__init(answer)
            answer.pointee.application_id = arena.string(registered.applicationID)
            answer.pointee.heartbeat_nanoseconds = UInt64(registered.heartbeatInterval.nanoseconds)
            answer.pointee.block_port = UInt32(registered.blockPort)
            answer.pointee.io_key = arena.bytes(registered.ioKey)
            message.registered = answer
        }
        if let shutdown {
            let order = arena.make(Millrace__V1__Shutdown.self)
            millrace__v1__shutdown__init(order)
            order.pointee.reason = arena.string(shutdown)
            message.shutdown = order
        }
        (message.n_peers, message.peers) = arena.repeated(
            peers, Millrace__V1__Peer.self, millrace__v1__peer__init
        ) { peer, target in
            target.executor_id = UInt32(peer.executor.rawValue)
            target.host = arena.string(peer.host)
            target.port = UInt32(peer.port)
            target.is_service = peer.isService ? 1 : 0
            target.service_port = UInt32(peer.servicePort ?? 0)
        }
        (message.n_plans, message.plans) = arena.repeated(
            plans, Millrace__V1__PlanPiece.self, millrace__v1__plan_piece__init
        ) { piece, target in
            target.hash_high = piece.plan.high
            target.hash_low = piece.plan.low
            target.total_bytes = UInt64(piece.totalBytes)
            target.offset = UInt64(piece.offset)
            target.bytes = arena.bytes(piece.bytes)
        }
        (message.n_commit_decisions, message.commit_decisions) = arena.repeated(
            commitDecisions, Millrace__V1__CommitDecision.self, millrace__v1__commit_decision__init
        ) { decision, target in
            target.task_id = UInt64(decision.task.rawValue)
            target.granted = decision.isGranted ? 1 : 0
        }
    }

    /// Reads a message of any origin. `arena` is reset.
    public init(decoding bytes: [UInt8], arena: WireArena) throws(WireError) {
        arena.reset()
        let decoded = arena.withAllocator { allocator in
            millrace__v1__driver_message__unpack(allocator, bytes.count, bytes)
        }
        guard let message = decoded?.pointee else {
            throw WireError("not a DriverMessage (\(bytes.count) bytes)")
        }
        self.init()
        readSession(message)
        try readGrants(message)
        for index in 0..<message.n_plans {
            // protobuf-c fills every slot of a repeated field.
            plans.append(try PlanPiece(message.plans[index]!.pointee))
        }
        try readPlanBroadcasts(message)
        for index in 0..<message.n_map_outputs {
            mapOutputs.append(try MapOutputs(message.map_outputs[index]!.pointee))
        }
        for index in 0..<message.n_stages {
            stages.append(try StageSetup(message.stages[index]!.pointee))
        }
        try readBlocks(message)
        try readDeparture(message)
        try readBarriers(message)
        launches.reserveCapacity(message.n_launches)
        for index in 0..<message.n_launches {
            launches.append(try TaskDescription(message.launches[index]!.pointee))
        }
        for index in 0..<message.n_kills {
            let kill = message.kills[index]!.pointee
            kills.append(.init(task: try TaskID(wire: kill.task_id), reason: text(kill.reason)))
        }
        for index in 0..<message.n_commit_decisions {
            let decision = message.commit_decisions[index]!.pointee
            commitDecisions.append(
                .init(task: try TaskID(wire: decision.task_id), isGranted: decision.granted != 0))
        }
    }

    private mutating func readSession(_ message: Millrace__V1__DriverMessage) {
        readPlanNames(message)
        if let answer = message.registered?.pointee {
            registered = Registered(
                applicationID: text(answer.application_id),
                heartbeatInterval: .nanoseconds(Int64(clamping: answer.heartbeat_nanoseconds)),
                blockPort: Int(answer.block_port), ioKey: Array(answer.io_key))
        }
        if let order = message.shutdown?.pointee { shutdown = text(order.reason) }
        for index in 0..<message.n_peers {
            let peer = message.peers[index]!.pointee
            peers.append(
                Peer(
                    executor: ExecutorID(Int(peer.executor_id)), host: text(peer.host),
                    port: Int(peer.port), isService: peer.is_service != 0,
                    servicePort: peer.service_port == 0 ? nil : Int(peer.service_port)))
        }
        for index in 0..<message.n_removed_shuffles {
            removedShuffles.append(ShuffleID(Int(message.removed_shuffles[index])))
        }
        for index in 0..<message.n_lost_peers {
            lostPeers.append(ExecutorID(Int(message.lost_peers[index])))
        }
        for index in 0..<message.n_finished_stages {
            finishedStages.append(StageID(Int(message.finished_stages[index])))
        }
    }
}

extension DriverMessage.PlanPiece {
    /// No plan is larger; a size above it is a damaged message, not a reason to reserve memory.
    static let largestPlan = 1 << 32

    fileprivate init(_ piece: Millrace__V1__PlanPiece) throws(WireError) {
        guard piece.total_bytes <= UInt64(Self.largestPlan), piece.offset <= piece.total_bytes
        else {
            throw WireError("a plan piece at \(piece.offset) of \(piece.total_bytes) bytes")
        }
        self.init(
            plan: PlanHash(high: piece.hash_high, low: piece.hash_low),
            totalBytes: Int(piece.total_bytes), offset: Int(piece.offset), bytes: Array(piece.bytes)
        )
    }
}

extension MapOutputs {
    /// No shuffle has more map tasks; a count above it is a damaged message.
    static let largestCount = 1 << 24

    fileprivate func write(into message: inout Millrace__V1__MapOutputs, _ arena: WireArena) {
        message.shuffle_id = UInt32(shuffle.rawValue)
        message.epoch = epoch
        message.map_count = UInt32(statuses.count)
        (message.n_statuses, message.statuses) = arena.repeated(
            statuses.compactMap { $0 }, Millrace__V1__MapStatus.self, millrace__v1__map_status__init
        ) { status, target in
            target.map_index = UInt32(status.mapIndex)
            target.map_task = UInt64(status.mapTask.rawValue)
            target.executor_id = UInt32(status.executor.rawValue)
            target.sizes = arena.bytes(status.sizes.codes)
        }
        writeMerged(into: &message, arena)
    }

    fileprivate init(_ message: Millrace__V1__MapOutputs) throws(WireError) {
        guard message.map_count <= Self.largestCount else {
            throw WireError("a shuffle of \(message.map_count) map tasks")
        }
        var statuses = [MapStatus?](repeating: nil, count: Int(message.map_count))
        for index in 0..<message.n_statuses {
            let status = message.statuses[index]!.pointee
            guard statuses.indices.contains(Int(status.map_index)) else {
                throw WireError("map output \(status.map_index) of \(message.map_count)")
            }
            statuses[Int(status.map_index)] = MapStatus(
                executor: ExecutorID(Int(status.executor_id)),
                mapTask: try TaskID(wire: status.map_task), mapIndex: Int(status.map_index),
                sizes: BlockSizes(codes: Array(status.sizes)))
        }
        self.init(
            shuffle: ShuffleID(Int(message.shuffle_id)), epoch: message.epoch, statuses: statuses,
            merged: Self.readMerged(message))
    }
}

extension StageSetup {
    fileprivate func write(into message: inout Millrace__V1__StageSetup, _ arena: WireArena) {
        message.stage_id = UInt32(stage.rawValue)
        message.attempt = UInt32(attempt)
        message.plan_high = plan.high
        message.plan_low = plan.low
        message.n_input_shuffles = inputShuffles.count
        message.input_shuffles = arena.numbers(inputShuffles.map(\.rawValue), as: UInt32.self)
        message.has_output = outputShuffle == nil ? 0 : 1
        message.output_shuffle = UInt32(outputShuffle?.rawValue ?? 0)
        message.reducers = UInt32(reducerCount)
        message.job_id = UInt32(job.rawValue)
        message.query = arena.string(query ?? "")
        message.batch_id = UInt64(batch?.rawValue ?? 0)
        writePersisted(into: &message, arena)
        writeBarrier(into: &message, arena)
        writeMerge(into: &message, arena)
        (message.n_local_properties, message.local_properties) = arena.properties(localProperties)
    }

    fileprivate init(_ message: Millrace__V1__StageSetup) throws(WireError) {
        let query = text(message.query)
        self.init(
            stage: StageID(Int(message.stage_id)), attempt: Int(message.attempt),
            plan: PlanHash(high: message.plan_high, low: message.plan_low),
            inputShuffles: (0..<message.n_input_shuffles).map {
                ShuffleID(Int(message.input_shuffles[$0]))
            },
            outputShuffle: message.has_output != 0 ? ShuffleID(Int(message.output_shuffle)) : nil,
            reducerCount: Int(message.reducers), job: JobID(Int(message.job_id)),
            query: query.isEmpty ? nil : query,
            batch: query.isEmpty ? nil : BatchID(Int(clamping: message.batch_id)),
            persisted: try Self.readPersisted(message),
            localProperties: LocalProperty.list(
                message.n_local_properties, message.local_properties),
            barrierExecutors: Self.readBarrier(message), merge: Self.readMerge(message))
    }
}

extension TaskDescription {
    fileprivate func write(into message: inout Millrace__V1__TaskLaunch, _ arena: WireArena) {
        message.task_id = UInt64(id.rawValue)
        message.stage_id = UInt32(stage.rawValue)
        message.stage_attempt = UInt32(stageAttempt)
        message.partition = UInt32(partition)
        message.attempt = UInt32(attempt)
        message.input = arena.bytes(input)
    }

    fileprivate init(_ message: Millrace__V1__TaskLaunch) throws(WireError) {
        self.init(
            id: try TaskID(wire: message.task_id), stage: StageID(Int(message.stage_id)),
            stageAttempt: Int(message.stage_attempt), partition: Int(message.partition),
            attempt: Int(message.attempt), input: ArraySlice(Array(message.input)))
    }
}

extension WireArena {
    func properties(
        _ properties: [LocalProperty]
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Millrace__V1__LocalProperty>?>?) {
        repeated(
            properties, Millrace__V1__LocalProperty.self, millrace__v1__local_property__init
        ) { property, target in
            target.key = string(property.key)
            target.value = string(property.value)
        }
    }
}

extension LocalProperty {
    static func list(
        _ count: Int,
        _ messages: UnsafeMutablePointer<UnsafeMutablePointer<Millrace__V1__LocalProperty>?>?
    ) -> [LocalProperty] {
        (0..<count).map {
            let property = messages![$0]!.pointee
            return LocalProperty(key: text(property.key), value: text(property.value))
        }
    }
}
