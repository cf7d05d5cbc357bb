import CMillraceProto
import MillraceBase
import MillraceCore

/// The parts of both messages that are about persisted datasets.
extension ExecutorMessage {
    func writeBlocks(into message: inout Millrace__V1__ExecutorMessage, _ arena: WireArena) {
        (message.n_blocks, message.blocks) = arena.repeated(
            blocks, Millrace__V1__BlockStatus.self, millrace__v1__block_status__init
        ) { status, target in
            target.rdd_id = UInt32(status.rdd.rawValue)
            target.partition = UInt32(status.partition)
            target.memory_bytes = UInt64(status.memoryBytes)
            target.disk_bytes = UInt64(status.diskBytes)
        }
        message.n_removed_rdds = removedRDDs.count
        message.removed_rdds = arena.numbers(removedRDDs.map(\.rawValue), as: UInt32.self)
        message.n_wanted_broadcasts = wantedBroadcasts.count
        message.wanted_broadcasts = arena.numbers(
            wantedBroadcasts.map(\.rawValue), as: UInt32.self)
        (message.n_broadcast_fetches, message.broadcast_fetches) = arena.repeated(
            broadcastFetches, Millrace__V1__BroadcastFetch.self, millrace__v1__broadcast_fetch__init
        ) { fetch, target in
            target.broadcast_id = UInt32(fetch.broadcast.rawValue)
            target.piece = UInt32(fetch.piece)
            target.outcome = UInt32(fetch.outcome.rawValue)
        }
    }

    mutating func readBlocks(_ message: Millrace__V1__ExecutorMessage) {
        for index in 0..<message.n_wanted_broadcasts {
            wantedBroadcasts.append(BroadcastID(Int(message.wanted_broadcasts[index])))
        }
        for index in 0..<message.n_broadcast_fetches {
            let fetch = message.broadcast_fetches[index]!.pointee
            broadcastFetches.append(
                PieceFetch(
                    broadcast: BroadcastID(Int(fetch.broadcast_id)), piece: Int(fetch.piece),
                    outcome: BroadcastFetch.Outcome(rawValue: Int(fetch.outcome)) ?? .failed))
        }
        for index in 0..<message.n_blocks {
            // protobuf-c fills every slot of a repeated field.
            let status = message.blocks[index]!.pointee
            blocks.append(
                BlockStatus(
                    rdd: RDDID(Int(status.rdd_id)), partition: Int(status.partition),
                    memoryBytes: Int(clamping: status.memory_bytes),
                    diskBytes: Int(clamping: status.disk_bytes)))
        }
        for index in 0..<message.n_removed_rdds {
            removedRDDs.append(RDDID(Int(message.removed_rdds[index])))
        }
    }
}

extension DriverMessage {
    func writeBlocks(into message: inout Millrace__V1__DriverMessage, _ arena: WireArena) {
        message.n_removed_rdds = removedRDDs.count
        message.removed_rdds = arena.numbers(removedRDDs.map(\.rawValue), as: UInt32.self)
        (message.n_block_copies, message.block_copies) = arena.repeated(
            blockCopies, Millrace__V1__BlockCopy.self, millrace__v1__block_copy__init
        ) { copy, target in
            target.rdd_id = UInt32(copy.rdd.rawValue)
            target.partition = UInt32(copy.partition)
            target.executor_id = UInt32(copy.from.rawValue)
            target.level = copy.level.write(arena)
        }
        (message.n_block_holders, message.block_holders) = arena.repeated(
            blockHolders, Millrace__V1__BlockHolders.self, millrace__v1__block_holders__init
        ) { $0.write(into: &$1, arena) }
        (message.n_broadcast_pieces, message.broadcast_pieces) = arena.repeated(
            broadcastPieces, Millrace__V1__BroadcastPieces.self,
            millrace__v1__broadcast_pieces__init
        ) { pieces, target in
            target.broadcast_id = UInt32(pieces.broadcast.rawValue)
            target.n_pieces = pieces.sources.count
            target.pieces = arena.numbers(pieces.sources.map(\.piece), as: UInt32.self)
            target.n_sources = pieces.sources.count
            target.sources = arena.numbers(
                pieces.sources.map { $0.executor.map { $0.rawValue + 1 } ?? 0 }, as: UInt32.self)
        }
        message.n_gone_broadcasts = goneBroadcasts.count
        message.gone_broadcasts = arena.numbers(goneBroadcasts.map(\.rawValue), as: UInt32.self)
        message.n_removed_broadcasts = removedBroadcasts.count
        message.removed_broadcasts = arena.numbers(
            removedBroadcasts.map(\.rawValue), as: UInt32.self)
    }

    private mutating func readBroadcasts(_ message: Millrace__V1__DriverMessage) {
        for index in 0..<message.n_broadcast_pieces {
            let pieces = message.broadcast_pieces[index]!.pointee
            let sources = (0..<min(pieces.n_pieces, pieces.n_sources)).map { place in
                let source = Int(pieces.sources[place])
                return BroadcastSource(
                    piece: Int(pieces.pieces[place]),
                    executor: source == 0 ? nil : ExecutorID(source - 1))
            }
            broadcastPieces.append(
                .init(broadcast: BroadcastID(Int(pieces.broadcast_id)), sources: sources))
        }
        for index in 0..<message.n_gone_broadcasts {
            goneBroadcasts.append(BroadcastID(Int(message.gone_broadcasts[index])))
        }
        for index in 0..<message.n_removed_broadcasts {
            removedBroadcasts.append(BroadcastID(Int(message.removed_broadcasts[index])))
        }
    }

    mutating func readBlocks(_ message: Millrace__V1__DriverMessage) throws(WireError) {
        readBroadcasts(message)
        for index in 0..<message.n_removed_rdds {
            removedRDDs.append(RDDID(Int(message.removed_rdds[index])))
        }
        for index in 0..<message.n_block_copies {
            let copy = message.block_copies[index]!.pointee
            blockCopies.append(
                BlockCopy(
                    rdd: RDDID(Int(copy.rdd_id)), partition: Int(copy.partition),
                    level: try StorageLevel(copy.level), from: ExecutorID(Int(copy.executor_id))))
        }
        for index in 0..<message.n_block_holders {
            blockHolders.append(try BlockHolders(message.block_holders[index]!.pointee))
        }
    }
}

extension DriverMessage.BlockHolders {
    /// No dataset has more partitions; a number above it is a damaged message.
    private static let largestPartition = 1 << 24

    fileprivate func write(into message: inout Millrace__V1__BlockHolders, _ arena: WireArena) {
        let kept = holders.indices.filter { !holders[$0].isEmpty }
        message.rdd_id = UInt32(rdd.rawValue)
        message.n_partitions = kept.count
        message.partitions = arena.numbers(kept, as: UInt32.self)
        message.n_counts = kept.count
        message.counts = arena.numbers(kept.map { holders[$0].count }, as: UInt32.self)
        let executors = kept.flatMap { holders[$0].map(\.rawValue) }
        message.n_executors = executors.count
        message.executors = arena.numbers(executors, as: UInt32.self)
    }

    fileprivate init(_ message: Millrace__V1__BlockHolders) throws(WireError) {
        var holders: [[ExecutorID]] = []
        var next = 0
        guard message.n_counts == message.n_partitions else {
            throw WireError("holders of \(message.n_counts) in \(message.n_partitions) partitions")
        }
        for index in 0..<message.n_partitions {
            let partition = Int(message.partitions[index])
            let end = next + Int(message.counts[index])
            guard partition <= Self.largestPartition, end <= message.n_executors else {
                throw WireError("partition \(partition) is kept by more executors than are named")
            }
            while holders.count <= partition { holders.append([]) }
            holders[partition] = (next..<end).map { ExecutorID(Int(message.executors[$0])) }
            next = end
        }
        self.init(rdd: RDDID(Int(message.rdd_id)), holders: holders)
    }
}

extension StageSetup {
    func writePersisted(into message: inout Millrace__V1__StageSetup, _ arena: WireArena) {
        (message.n_persisted, message.persisted) = arena.repeated(
            persisted, Millrace__V1__PersistedRDD.self, millrace__v1__persisted_rdd__init
        ) { dataset, target in
            target.rdd_id = UInt32(dataset.rdd.rawValue)
            target.level = dataset.level.write(arena)
        }
    }

    static func readPersisted(
        _ message: Millrace__V1__StageSetup
    ) throws(WireError) -> [PersistedRDD] {
        var persisted: [PersistedRDD] = []
        for index in 0..<message.n_persisted {
            let dataset = message.persisted[index]!.pointee
            persisted.append(
                PersistedRDD(
                    rdd: RDDID(Int(dataset.rdd_id)), level: try StorageLevel(dataset.level)))
        }
        return persisted
    }
}

extension StorageLevel {
    fileprivate func write(
        _ arena: WireArena
    ) -> UnsafeMutablePointer<Millrace__V1__StorageLevel> {
        let message = arena.make(Millrace__V1__StorageLevel.self)
        millrace__v1__storage_level__init(message)
        message.pointee.uses_disk = usesDisk ? 1 : 0
        message.pointee.uses_memory = usesMemory ? 1 : 0
        message.pointee.is_deserialized = isDeserialized ? 1 : 0
        message.pointee.replication = UInt32(replication)
        return message
    }

    fileprivate init(
        _ message: UnsafeMutablePointer<Millrace__V1__StorageLevel>?
    ) throws(WireError) {
        guard let level = message?.pointee, (1...40).contains(level.replication) else {
            throw WireError("a storage level without copies")
        }
        self.init(
            usesDisk: level.uses_disk != 0, usesMemory: level.uses_memory != 0,
            isDeserialized: level.is_deserialized != 0, replication: Int(level.replication))
    }
}
