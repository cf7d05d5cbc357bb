import CMillraceProto
import MillraceBase

/// What an executor or driver asks of the external shuffle service.
public struct ShuffleServiceRequest: Hashable, Sendable {
    public var applicationID: String
    /// What the processes of one application know and others do not.
    public var secret: String
    /// Of a registration: whose files, and the folder they are in.
    public var executor: ExecutorID
    public var folder: String
    /// Shuffles to remove, or the one whose merge is to be finalised.
    public var shuffles: [ShuffleID]
    /// Which attempt to merge it.
    public var merge: Int

    public init(
        applicationID: String, secret: String, executor: ExecutorID = ExecutorID(0),
        folder: String = "", shuffles: [ShuffleID] = [], merge: Int = 0
    ) {
        self.applicationID = applicationID
        self.secret = secret
        self.executor = executor
        self.folder = folder
        self.shuffles = shuffles
        self.merge = merge
    }

    /// The message as protobuf. `arena` is reset.
    public func encoded(arena: WireArena) -> [UInt8] {
        arena.reset()
        var message = Millrace__V1__ShuffleServiceRequest()
        millrace__v1__shuffle_service_request__init(&message)
        message.application_id = arena.string(applicationID)
        message.secret = arena.string(secret)
        message.executor_id = UInt32(executor.rawValue)
        message.folder = arena.string(folder)
        message.n_shuffles = shuffles.count
        message.shuffles = arena.numbers(shuffles.map(\.rawValue), as: UInt32.self)
        message.merge_id = UInt64(merge)
        let size = millrace__v1__shuffle_service_request__get_packed_size(&message)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = millrace__v1__shuffle_service_request__pack(&message, buffer.baseAddress)
        }
    }

    /// Reads a request of any origin. `arena` is reset.
    public init(decoding bytes: [UInt8], arena: WireArena) throws(WireError) {
        arena.reset()
        let decoded = arena.withAllocator { allocator in
            millrace__v1__shuffle_service_request__unpack(allocator, bytes.count, bytes)
        }
        guard let message = decoded?.pointee else {
            throw WireError("not a ShuffleServiceRequest (\(bytes.count) bytes)")
        }
        self.init(
            applicationID: text(message.application_id), secret: text(message.secret),
            executor: ExecutorID(Int(message.executor_id)), folder: text(message.folder),
            merge: Int(clamping: message.merge_id))
        for index in 0..<message.n_shuffles {
            shuffles.append(ShuffleID(Int(message.shuffles[index])))
        }
    }
}

/// What the service answers.
public struct ShuffleServiceReply: Hashable, Sendable {
    /// Where the blocks are served, on the host that was called.
    public var blockPort: Int
    /// An application that is silent for longer is finished.
    public var timeout: Duration
    /// Of a finalised merge.
    public var merged: [MergedSize]

    /// Bytes of the blocks that are merged for a reduce partition.
    public struct MergedSize: Hashable, Sendable {
        public var reduce: Int
        public var bytes: Int
        public init(reduce: Int, bytes: Int) {
            self.reduce = reduce
            self.bytes = bytes
        }
    }

    public init(blockPort: Int, timeout: Duration, merged: [MergedSize] = []) {
        self.blockPort = blockPort
        self.timeout = timeout
        self.merged = merged
    }

    /// The message as protobuf. `arena` is reset.
    public func encoded(arena: WireArena) -> [UInt8] {
        arena.reset()
        var message = Millrace__V1__ShuffleServiceReply()
        millrace__v1__shuffle_service_reply__init(&message)
        message.block_port = UInt32(blockPort)
        message.timeout_nanoseconds = UInt64(max(timeout.nanoseconds, 0))
        message.n_merged_partitions = merged.count
        message.merged_partitions = arena.numbers(merged.map(\.reduce), as: UInt32.self)
        message.n_merged_bytes = merged.count
        message.merged_bytes = arena.numbers(merged.map(\.bytes), as: UInt64.self)
        let size = millrace__v1__shuffle_service_reply__get_packed_size(&message)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = millrace__v1__shuffle_service_reply__pack(&message, buffer.baseAddress)
        }
    }

    /// Reads a reply of any origin. `arena` is reset.
    public init(decoding bytes: [UInt8], arena: WireArena) throws(WireError) {
        arena.reset()
        let decoded = arena.withAllocator { allocator in
            millrace__v1__shuffle_service_reply__unpack(allocator, bytes.count, bytes)
        }
        guard let message = decoded?.pointee, (1...65_535).contains(message.block_port),
            message.n_merged_partitions == message.n_merged_bytes
        else {
            throw WireError("not a ShuffleServiceReply (\(bytes.count) bytes)")
        }
        self.init(
            blockPort: Int(message.block_port),
            timeout: .nanoseconds(Int64(clamping: message.timeout_nanoseconds)),
            merged: (0..<message.n_merged_partitions).map {
                MergedSize(
                    reduce: Int(message.merged_partitions[$0]),
                    bytes: Int(clamping: message.merged_bytes[$0]))
            })
    }
}

/// What the service has done since it started.
public struct ShuffleServiceStatus: Hashable, Sendable {
    public var registeredApplications = 0
    public var registeredExecutors = 0
    public var activeConnections = 0
    public var blocksServed = 0
    public var blockBytesServed = 0
    public var blocksNotFound = 0
    public var requestsRefused = 0
    public var applicationsFinished = 0
    public var applicationsExpired = 0
    public var filesDeleted = 0
    // Of push-based merge.
    public var blocksMerged = 0
    public var blockBytesWritten = 0
    public var duplicateBlockPushes = 0
    public var lateBlockPushes = 0
    public var staleBlockPushes = 0
    public var mergedChunksServed = 0

    public init() {}

    /// The message as protobuf. `arena` is reset.
    public func encoded(arena: WireArena) -> [UInt8] {
        arena.reset()
        var message = Millrace__V1__ShuffleServiceStatus()
        millrace__v1__shuffle_service_status__init(&message)
        message.registered_applications = UInt32(registeredApplications)
        message.registered_executors = UInt32(registeredExecutors)
        message.active_connections = UInt32(activeConnections)
        message.blocks_served = UInt64(blocksServed)
        message.block_bytes_served = UInt64(blockBytesServed)
        message.blocks_not_found = UInt64(blocksNotFound)
        message.requests_refused = UInt64(requestsRefused)
        message.applications_finished = UInt64(applicationsFinished)
        message.applications_expired = UInt64(applicationsExpired)
        message.files_deleted = UInt64(filesDeleted)
        message.blocks_merged = UInt64(blocksMerged)
        message.block_bytes_written = UInt64(blockBytesWritten)
        message.duplicate_block_pushes = UInt64(duplicateBlockPushes)
        message.late_block_pushes = UInt64(lateBlockPushes)
        message.stale_block_pushes = UInt64(staleBlockPushes)
        message.merged_chunks_served = UInt64(mergedChunksServed)
        let size = millrace__v1__shuffle_service_status__get_packed_size(&message)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = millrace__v1__shuffle_service_status__pack(&message, buffer.baseAddress)
        }
    }

    /// Reads a status of any origin. `arena` is reset.
    public init(decoding bytes: [UInt8], arena: WireArena) throws(WireError) {
        arena.reset()
        let decoded = arena.withAllocator { allocator in
            millrace__v1__shuffle_service_status__unpack(allocator, bytes.count, bytes)
        }
        guard let message = decoded?.pointee else {
            throw WireError("not a ShuffleServiceStatus (\(bytes.count) bytes)")
        }
        registeredApplications = Int(message.registered_applications)
        registeredExecutors = Int(message.registered_executors)
        activeConnections = Int(message.active_connections)
        blocksServed = Int(clamping: message.blocks_served)
        blockBytesServed = Int(clamping: message.block_bytes_served)
        blocksNotFound = Int(clamping: message.blocks_not_found)
        requestsRefused = Int(clamping: message.requests_refused)
        applicationsFinished = Int(clamping: message.applications_finished)
        applicationsExpired = Int(clamping: message.applications_expired)
        filesDeleted = Int(clamping: message.files_deleted)
        blocksMerged = Int(clamping: message.blocks_merged)
        blockBytesWritten = Int(clamping: message.block_bytes_written)
        duplicateBlockPushes = Int(clamping: message.duplicate_block_pushes)
        lateBlockPushes = Int(clamping: message.late_block_pushes)
        staleBlockPushes = Int(clamping: message.stale_block_pushes)
        mergedChunksServed = Int(clamping: message.merged_chunks_served)
    }
}
