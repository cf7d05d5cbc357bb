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
        taskEnds.reserveCapacity(message.n_task_ends)
        for index in 0..<message.n_task_ends {
            // protobuf-c fills every slot of a repeated field.
            taskEnds.append(try TaskEnd(message.task_ends[index]!.pointee))
        }
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
        return message
    }

    fileprivate init(_ message: Millrace__V1__Register) throws(WireError) {
        guard message.cores >= 1, message.cores <= 65_536 else {
            throw WireError("an executor registers with \(message.cores) cores; 1 to 65536 is possible")
        }
        guard message.block_port <= 65_535 else {
            throw WireError("an executor registers with block port \(message.block_port)")
        }
        self.init(
            protocolVersion: Int(message.protocol_version), applicationID: text(message.application_id),
            executor: ExecutorID(Int(message.executor_id)), buildID: text(message.build_id),
            host: text(message.host), blockPort: Int(message.block_port), cores: Int(message.cores),
            memoryBytes: message.memory_bytes, processID: Int(message.process_id))
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

extension ExecutorMessage.TaskEnd {
    fileprivate func write(into message: inout Millrace__V1__TaskEnd, _ arena: WireArena) {
        message.task_id = UInt64(task.rawValue)
        message.run_nanoseconds = UInt64(max(runTime.nanoseconds, 0))
        message.records_read = UInt64(recordsRead)
        message.records_written = UInt64(recordsWritten)
        switch outcome {
        case .result(let bytes): message.result = arena.bytes(bytes)
        case .mapOutput(let sizes):
            let output = arena.make(Millrace__V1__MapOutput.self)
            millrace__v1__map_output__init(output)
            output.pointee.n_sizes = sizes.count
            output.pointee.sizes = arena.numbers(sizes, as: UInt64.self)
            message.map_output = output
        case .fetchFailed(let shuffle, let mapIndex, let reduce, let executor, let reason):
            let failed = arena.make(Millrace__V1__FetchFailed.self)
            millrace__v1__fetch_failed__init(failed)
            failed.pointee.shuffle_id = UInt32(shuffle.rawValue)
            failed.pointee.map_index = UInt32(mapIndex)
            failed.pointee.reduce = UInt32(reduce)
            failed.pointee.executor_id = UInt32(executor.rawValue)
            failed.pointee.message = arena.string(reason)
            message.fetch_failed = failed
        case .failure(let reason, let trace):
            let failure = arena.make(Millrace__V1__Failure.self)
            millrace__v1__failure__init(failure)
            failure.pointee.message = arena.string(reason)
            failure.pointee.trace = arena.string(trace)
            message.failure = failure
        case .killed: message.killed = 1
        }
        (message.n_metrics, message.metrics) = arena.repeated(
            metrics, Millrace__V1__TaskMetric.self, millrace__v1__task_metric__init
        ) { metric, target in
            target.name = arena.string(metric.name)
            target.value = Int64(metric.value)
        }
    }

    fileprivate init(_ message: Millrace__V1__TaskEnd) throws(WireError) {
        guard message.task_id <= UInt64(Int.max), message.run_nanoseconds <= UInt64(Int64.max) else {
            throw WireError("a task end with task id \(message.task_id)")
        }
        let outcome: ExecutorMessage.Outcome
        if message.killed != 0 {
            outcome = .killed
        } else if let failure = message.failure {
            outcome = .failure(message: text(failure.pointee.message), trace: text(failure.pointee.trace))
        } else if let failed = message.fetch_failed {
            outcome = .fetchFailed(
                shuffle: ShuffleID(Int(failed.pointee.shuffle_id)),
                mapIndex: Int(failed.pointee.map_index), reduce: Int(failed.pointee.reduce),
                executor: ExecutorID(Int(failed.pointee.executor_id)),
                message: text(failed.pointee.message))
        } else if let output = message.map_output {
            let sizes = UnsafeBufferPointer(start: output.pointee.sizes, count: output.pointee.n_sizes)
            outcome = .mapOutput(sizes: sizes.map { Int(clamping: $0) })
        } else {
            outcome = .result(Array(message.result))
        }
        self.init(
            task: TaskID(Int(message.task_id)), runTime: .nanoseconds(Int64(message.run_nanoseconds)),
            outcome: outcome)
        recordsRead = Int(clamping: message.records_read)
        recordsWritten = Int(clamping: message.records_written)
        for index in 0..<message.n_metrics {
            let metric = message.metrics[index]!.pointee
            metrics.append(.init(text(metric.name), Int(metric.value)))
        }
    }
}
