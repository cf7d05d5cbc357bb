import CMillraceProto
import MillraceBase

/// The driver's answer to `Driver.GetStatus`.
public struct StatusReply {
    public var applicationID: String
    public var applicationName: String
    public var buildID: String
    public var executors: [(ExecutorMessage.Registration, heldTasks: Int)]
    public var runningJobs: Int
    public var uptime: Duration

    public init(
        applicationID: String, applicationName: String, buildID: String,
        executors: [(ExecutorMessage.Registration, heldTasks: Int)], runningJobs: Int,
        uptime: Duration
    ) {
        self.applicationID = applicationID
        self.applicationName = applicationName
        self.buildID = buildID
        self.executors = executors
        self.runningJobs = runningJobs
        self.uptime = uptime
    }

    /// The message as protobuf. `arena` is reset.
    public func encoded(arena: WireArena) -> [UInt8] {
        arena.reset()
        var message = Millrace__V1__StatusReply()
        millrace__v1__status_reply__init(&message)
        message.application_id = arena.string(applicationID)
        message.application_name = arena.string(applicationName)
        message.build_id = arena.string(buildID)
        message.running_jobs = UInt32(runningJobs)
        message.uptime_nanoseconds = UInt64(max(uptime.nanoseconds, 0))
        (message.n_executors, message.executors) = arena.repeated(
            executors, Millrace__V1__ExecutorStatus.self, millrace__v1__executor_status__init
        ) { executor, target in
            target.executor_id = UInt32(executor.0.executor.rawValue)
            target.host = arena.string(executor.0.host)
            target.block_port = UInt32(executor.0.blockPort)
            target.cores = UInt32(executor.0.cores)
            target.running_tasks = UInt32(executor.heldTasks)
            target.process_id = UInt32(executor.0.processID)
        }
        let size = millrace__v1__status_reply__get_packed_size(&message)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = millrace__v1__status_reply__pack(&message, buffer.baseAddress)
        }
    }
}
