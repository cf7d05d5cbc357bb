import MillraceBase
import MillraceStore

/// Where the tasks of an executor put what does not fit into memory, and how it is compressed
/// and encrypted.
public struct SpillFolder: Sendable {
    let fileSystem: any FileSystem
    let folder: String
    let compression: CompressionCodec?
    /// nil: what is written is not encrypted.
    let cipher: BlockCipher?

    init(
        _ fileSystem: any FileSystem, _ folder: String, _ compression: CompressionCodec?,
        _ cipher: BlockCipher? = nil
    ) {
        self.cipher = cipher
        self.fileSystem = fileSystem
        self.folder = folder
        self.compression = compression
    }

    /// A new, empty file. Throws `StoreError`.
    func create(_ name: String) throws(StoreError) -> SpillFile { try SpillFile(self, name) }
}

/// A temporary file of one task: written once from front to back, read in pieces, deleted with the
/// value.
final class SpillFile {
    private let fileSystem: any FileSystem
    private let path: String
    private var writer: (any WritableFile)?
    private var reader: (any ReadableFile)?
    private(set) var size = 0

    fileprivate init(_ folder: SpillFolder, _ name: String) throws(StoreError) {
        fileSystem = folder.fileSystem
        path = StorePath.join(folder.folder, TemporaryName.next(for: name))
        writer = try fileSystem.create(path, exclusively: true)
    }

    deinit { try? fileSystem.delete(path) }

    func append(_ bytes: [UInt8]) throws(StoreError) {
        guard let writer else { preconditionFailure("the spill is finished") }
        try writer.write(bytes)
        size += bytes.count
    }

    /// No more is written.
    func finish() throws(StoreError) {
        try writer?.close()
        writer = nil
    }

    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        let file: any ReadableFile
        if let reader { file = reader } else { file = try fileSystem.open(path) }
        reader = file
        let bytes = try file.read(at: offset, count: count)
        guard bytes.count == count else {
            throw StoreError.corrupt(path, at: offset + bytes.count, "the spill ends here")
        }
        return bytes
    }
}
