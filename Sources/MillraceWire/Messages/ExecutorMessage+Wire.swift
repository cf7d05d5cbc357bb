import CMillraceProto
import MillraceBase
import MillraceCore

extension ExecutorMessage {
    /// The message as protobuf. `arena` is reset.
    public func encoded(arena: WireArena) -> [UInt8] {
        arena.reset()
        var message = Millrace__V1__ExecutorMessage()
        millrace__v1__executor_message__init(&message)
        if let register { message.register_ = register.write(arena) }
        if let heartbeat { message.heartbeat = heartbeat.write(arena) }
        (message.n_task_ends, message.task_ends) = arena.repeated(
            taskEnds, Millrace__V1__TaskEnd.self, millrace__v1__task_end__init
        ) { $0.write(into: &$1, arena) }
        message.n_commit_requests = commitRequests.count
        message.commit_requests = arena.numbers(commitRequests.map(\.rawValue), as: UInt64.self)
        writePartials(into: &message, arena)
        writeBlocks(into: &message, arena)
        writeDeparture(into: &message, arena)
        writeBarriers(into: &message, arena)
        writePushes(into: &message, arena)
        writePlanNames(into: &message, arena)
        let size = millrace__v1__executor_message__get_packed_size(&message)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = millrace__v1__executor_message__pack(&message, buffer.baseAddress)
        }
    }

    /// Reads a message of any origin. `arena` is reset.
    public init(decoding bytes: [UInt8], arena: WireArena) throws(WireError) {
        arena.reset()
        let decoded = arena.withAllocator { allocator in
            millrace__v1__executor_message__unpack(allocator, bytes.count, bytes)
        }
        guard let message = decoded?.pointee else {
            throw WireError("not an ExecutorMessage (\(bytes.count) bytes)")
        }
        self.init()
        if let register = message.register_ { self.register = try Registration(register.pointee) }
        if let heartbeat = message.heartbeat {
            self.heartbeat = Heartbeat(
                sequence: heartbeat.pointee.sequence,
                runningTasks: Int(heartbeat.pointee.running_tasks),
                residentBytes: heartbeat.pointee.resident_bytes)
        }
        for index in 0..<message.n_commit_requests {
            commitRequests.append(try TaskID(wire: message.commit_requests[index]))
        }
        try readPartials(message)
        readPlanNames(message)
        readBlocks(message)
        try readDeparture(message)
        try readBarriers(message)
        try readPushes(message)
        var results = Self.results(message)
        taskEnds.reserveCapacity(message.n_task_ends)
        for index in 0..<message.n_task_ends {
            // protobuf-c fills every slot of a repeated field.
            taskEnds.append(try TaskEnd(message.task_ends[index]!.pointee, &results))
        }
    }

    /// The results of all tasks in one array, one after the other, so that each can be a slice.
    private static func results(_ message: Millrace__V1__ExecutorMessage) -> ArraySlice<UInt8> {
        var size = 0
        for index in 0..<message.n_task_ends {
            size += message.task_ends[index]!.pointee.result.len
        }
        if size == 0 { return [] }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            for index in 0..<message.n_task_ends {
                let result = message.task_ends[index]!.pointee.result
                guard let data = result.data, result.len > 0 else { continue }
                (buffer.baseAddress! + count).initialize(from: data, count: result.len)
                count += result.len
            }
        }
        return bytes[...]
    }
}

extension ExecutorMessage.Registration {
    fileprivate func write(_ arena: WireArena) -> UnsafeMutablePointer<Millrace__V1__Register> {
        let message = arena.make(Millrace__V1__Register.self)
        millrace__v1__register__init(message)
        message.pointee.protocol_version = UInt32(protocolVersion)
        message.pointee.application_id = arena.string(applicationID)
        message.pointee.executor_id = UInt32(executor.rawValue)
        message.pointee.build_id = arena.string(buildID)
        message.pointee.host = arena.string(host)
        message.pointee.block_port = UInt32(blockPort)
        message.pointee.cores = UInt32(cores)
        message.pointee.memory_bytes = memoryBytes
        message.pointee.process_id = UInt32(processID)
        message.pointee.service_block_port = UInt32(serviceBlockPort ?? 0)
        return message
    }

    fileprivate init(_ message: Millrace__V1__Register) throws(WireError) {
        guard message.cores >= 1, message.cores <= 65_536 else {
            throw WireError(
                "an executor registers with \(message.cores) cores; 1 to 65536 is possible")
        }
        guard message.block_port <= 65_535, message.service_block_port <= 65_535 else {
            throw WireError("an executor registers with block port \(message.block_port)")
        }
        self.init(
            protocolVersion: Int(message.protocol_version),
            applicationID: text(message.application_id),
            executor: ExecutorID(Int(message.executor_id)), buildID: text(message.build_id),
            host: text(message.host), blockPort: Int(message.block_port), cores: Int(message.cores),
            memoryBytes: message.memory_bytes, processID: Int(message.process_id),
            serviceBlockPort: message.service_block_port > 0
                ? Int(message.service_block_port) : nil)
    }
}

extension ExecutorMessage.Heartbeat {
    fileprivate func write(_ arena: WireArena) -> UnsafeMutablePointer<Millrace__V1__Heartbeat> {
        let message = arena.make(Millrace__V1__Heartbeat.self)
        millrace__v1__heartbeat__init(message)
        message.pointee.sequence = sequence
        message.pointee.running_tasks = UInt32(runningTasks)
        message.pointee.resident_bytes = residentBytes
        return message
    }
}

extension TaskEnd {
    fileprivate func write(into message: inout Millrace__V1__TaskEnd, _ arena: WireArena) {
        message.task_id = UInt64(task.rawValue)
        message.run_nanoseconds = UInt64(max(runTime.nanoseconds, 0))
        message.records_read = UInt64(recordsRead)
        message.records_written = UInt64(recordsWritten)
        message.executor_at_fault = isExecutorAtFault ? 1 : 0
        switch reason {
        case .result(let bytes): message.result = arena.bytes(bytes)
        case .mapOutput(let sizes):
            let output = arena.make(Millrace__V1__MapOutput.self)
            millrace__v1__map_output__init(output)
            output.pointee.sizes = arena.bytes(sizes.codes)
            message.map_output = output
        case .fetchFailed(let failure): message.fetch_failed = failure.write(arena)
        case .exception(let reason, let trace):
            let failure = arena.make(Millrace__V1__Failure.self)
            millrace__v1__failure__init(failure)
            failure.pointee.message = arena.string(reason)
            failure.pointee.trace = arena.string(trace)
            message.failure = failure
        case .killed(let reason):
            message.killed = 1
            message.kill_reason = arena.string(reason)
        case .commitDenied: message.commit_denied = 1
        case .executorLost: preconditionFailure("a lost executor reports nothing")
        }
        (message.n_metrics, message.metrics) = arena.repeated(
            metrics, Millrace__V1__TaskMetric.self, millrace__v1__task_metric__init
        ) { metric, target in
            target.name = arena.string(metric.name)
            target.value = metric.value
        }
        (message.n_accumulator_updates, message.accumulator_updates) = arena.updates(accumulators)
    }

    /// Takes its result from the front of `results`.
    fileprivate init(
        _ message: Millrace__V1__TaskEnd, _ results: inout ArraySlice<UInt8>
    ) throws(WireError) {
        let result = results.prefix(message.result.len)
        results = results.dropFirst(message.result.len)
        guard message.task_id <= UInt64(Int.max), message.run_nanoseconds <= UInt64(Int64.max)
        else {
            throw WireError("a task end with task id \(message.task_id)")
        }
        self.init(
            task: TaskID(Int(message.task_id)), reason: Self.reason(message, result),
            runTime: .nanoseconds(Int64(message.run_nanoseconds)),
            recordsRead: Int(clamping: message.records_read),
            recordsWritten: Int(clamping: message.records_written))
        isExecutorAtFault = message.executor_at_fault != 0
        for index in 0..<message.n_metrics {
            let metric = message.metrics[index]!.pointee
            metrics.append(TaskMetric(name: text(metric.name), value: metric.value))
        }
        accumulators = AccumulatorUpdate.list(
            message.n_accumulator_updates, message.accumulator_updates)
    }

    private static func reason(
        _ message: Millrace__V1__TaskEnd, _ result: ArraySlice<UInt8>
    ) -> TaskEndReason {
        if message.killed != 0 { return .killed(reason: text(message.kill_reason)) }
        if message.commit_denied != 0 { return .commitDenied }
        if let failure = message.failure?.pointee {
            return .exception(message: text(failure.message), trace: text(failure.trace))
        }
        if let failed = message.fetch_failed?.pointee { return .fetchFailed(FetchFailure(failed)) }
        if let output = message.map_output?.pointee {
            return .mapOutput(BlockSizes(codes: Array(output.sizes)))
        }
        return .result(result)
    }
}

extension FetchFailure {
    fileprivate func write(_ arena: WireArena) -> UnsafeMutablePointer<Millrace__V1__FetchFailed> {
        let failed = arena.make(Millrace__V1__FetchFailed.self)
        millrace__v1__fetch_failed__init(failed)
        failed.pointee.shuffle_id = UInt32(shuffle.rawValue)
        failed.pointee.has_map_index = mapIndex == nil ? 0 : 1
        failed.pointee.map_index = UInt32(mapIndex ?? 0)
        failed.pointee.reduce = UInt32(reduce)
        failed.pointee.has_executor = executor == nil ? 0 : 1
        failed.pointee.executor_id = UInt32(executor?.rawValue ?? 0)
        failed.pointee.message = arena.string(message)
        return failed
    }

    fileprivate init(_ failed: Millrace__V1__FetchFailed) {
        self.init(
            shuffle: ShuffleID(Int(failed.shuffle_id)),
            mapIndex: failed.has_map_index != 0 ? Int(failed.map_index) : nil,
            executor: failed.has_executor != 0 ? ExecutorID(Int(failed.executor_id)) : nil,
            reduce: Int(failed.reduce), message: text(failed.message))
    }
}

extension TaskID {
    init(wire value: UInt64) throws(WireError) {
        guard value <= UInt64(Int.max) else { throw WireError("task id \(value)") }
        self.init(Int(value))
    }
}
