import MillraceBase

/// The blocks that map tasks pushed for one reduce partition, one behind the other in a data file,
/// with an index that says whose is where. Used by one thread.
///
/// A block is there when its line in the index is, and the line is written last. So whatever a
/// crash or a full disk leaves half-written is a hole in the data that no line names, or a last
/// line whose checksum is wrong; the next one who opens the partition cuts that off. Lines and
/// blocks never change, so a reader needs no lock.
public final class MergedPartition {
    public let dataPath: String
    public let indexPath: String
    /// Of all blocks.
    public private(set) var bytes = 0
    public private(set) var blocks = 0
    private let fileSystem: any FileSystem
    private var end = 0
    private var maps = MapSet()
    private var open: (data: any WritableFile, index: any WritableFile)?

    /// Goes on where an earlier run ended, or begins. Throws `StoreError`.
    public init(_ fileSystem: any FileSystem, folder: String, name: String) throws(StoreError) {
        self.fileSystem = fileSystem
        dataPath = StorePath.join(folder, name + ".data")
        indexPath = StorePath.join(folder, name + ".index")
        if try fileSystem.exists(indexPath) { try resume() }
        end = max(end, try fileSystem.status(dataPath)?.size ?? 0)
    }

    private func resume() throws(StoreError) {
        let index = try fileSystem.read(indexPath)
        let size = try fileSystem.status(dataPath)?.size ?? 0
        let found = MergedBlock.decode(index).prefix { $0.end <= size }
        for block in found { note(block) }
        let whole = found.count * MergedBlock.encodedSize
        guard whole < index.count else { return }
        try fileSystem.publish(to: indexPath, isDurable: false) { file throws(StoreError) in
            try file.write(Array(index[..<whole]))
        }
    }

    private func note(_ block: MergedBlock) {
        maps.insert(block.mapIndex)
        bytes += block.length
        blocks += 1
        end = max(end, block.end)
    }

    /// Whether some task's block of this map is there.
    public func contains(map: Int) -> Bool { maps.contains(map) }

    public var isOpen: Bool { open != nil }

    /// Adds a block of a map that isn't there yet. After a throw the partition is to be opened
    /// again before it's used again.
    public func append(
        map: Int, task: TaskID, checksum: UInt32, _ bytes: UnsafeRawBufferPointer
    ) throws(StoreError) {
        precondition(!contains(map: map), "the block of map \(map) is merged twice")
        let block = MergedBlock(
            mapIndex: map, mapTask: task, offset: end, length: bytes.count, checksum: checksum)
        let files = try writers()
        try files.data.write(bytes)
        try files.index.write(block.encode())
        note(block)
    }

    private func writers() throws(StoreError) -> (data: any WritableFile, index: any WritableFile) {
        if let open { return open }
        let made = (try fileSystem.append(dataPath), try fileSystem.append(indexPath))
        open = made
        return made
    }

    /// Gives the file descriptors back; the next `append` takes new ones.
    public func close() throws(StoreError) {
        guard let files = open.take() else { return }
        try files.data.close()
        try files.index.close()
    }
}

/// Which maps there are, a bit each.
struct MapSet {
    private var words: [UInt64] = []

    func contains(_ map: Int) -> Bool {
        let word = map >> 6
        return word < words.count && words[word] & (1 << UInt64(map & 63)) != 0
    }

    mutating func insert(_ map: Int) {
        let word = map >> 6
        while words.count <= word { words.append(0) }
        words[word] |= 1 << UInt64(map & 63)
    }
}
