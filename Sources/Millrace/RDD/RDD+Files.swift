import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceStore
import MillraceWire

extension MillraceContext {
    /// The lines of text files. `location` is a path, a folder, a glob, a `file:` URI, or several
    /// of these separated by commas; `.gz` files are unpacked (one partition each). Large files are
    /// cut into at least `minPartitions` splits (2 by default, or 1 on one core) of at most 32 MiB;
    /// a line belongs to the split in which it starts. Throws `MillraceError.notFound` when there
    /// is no such file. Each executor must see the files under the same path.
    public func textFile(_ location: String, minPartitions: Int? = nil) throws -> RDD<String> {
        let splits = try TextFiles.splits(
            location, minPartitions: minPartitions ?? Swift.min(defaultParallelism, 2))
        return RDD(
            context: self,
            node: RDDNode(
                context: self, name: "textFile", partitions: splits.count, op: TextFileSource(),
                input: { $1.writeRaw(splits[$0].encode()) }))
    }
}

extension RDD {
    /// Writes each partition as a file `part-00000` … of one line per row into a new folder, and
    /// `_SUCCESS` when all are there. A row that isn't a String is written as its `description`. Of
    /// several attempts of a task one file shows. Throws `MillraceError.invalidArgument` when the
    /// folder exists.
    @inlinable public func saveAsTextFile(_ location: String) async throws {
        try await saveText(location) { folder in
            TextFileSink<Element>(folder: folder) { rows, bytes in
                for row in rows {
                    if Element.self == String.self {
                        bytes.append(contentsOf: (row as! String).utf8)
                    } else {
                        bytes.append(contentsOf: "\(row)".utf8)
                    }
                    bytes.append(0x0A)
                }
            }
        }
    }

    @usableFromInline func saveText(
        _ location: String, _ sink: (String) -> TextFileSink<Element>
    ) async throws {
        do {
            let fileSystem = PosixFileSystem()
            let folder = try StorePath.resolve(location)
            if try fileSystem.exists(folder) {
                throw MillraceError(
                    .invalidArgument,
                    "output folder \(location) exists already; remove it or name another")
            }
            // As a file committer of Hadoop's does, so that tools that clean up know what it is.
            let temporary = StorePath.join(folder, "_temporary")
            try fileSystem.makeFolders(temporary)
            do {
                let files = try await context.runJob("saveAsTextFile", node, sink(temporary))
                for (partition, file) in files.enumerated() {
                    let name = StorePath.join(folder, TextOutput.partName(partition))
                    try fileSystem.rename(
                        String(decoding: file, as: UTF8.self), to: name, replacing: false)
                }
            } catch {
                try? fileSystem.deleteTree(temporary)
                throw error
            }
            try fileSystem.deleteTree(temporary)
            try fileSystem.create(StorePath.join(folder, "_SUCCESS"), exclusively: false).close()
            try fileSystem.syncFolder(folder)
        } catch let error as StoreError {
            throw error.asMillraceError
        }
    }
}
