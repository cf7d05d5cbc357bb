import MillraceBase
import MillraceExecutor
import MillraceStore
import MillraceWire

/// A folder of files, exactly once: tasks write files under unique names, and a batch counts when
/// the driver has listed its files in the folder's manifest. Spark's `FileStreamSink`.
final class FileStreamSink: StreamSinkCommitter {
    private let fileSystem: any FileSystem
    private let log: FileSinkLog

    init(_ fileSystem: any FileSystem, folder: String) throws {
        self.fileSystem = fileSystem
        log = try FileSinkLog(fileSystem, output: folder)
    }

    func commit(_ batch: BatchID, _ results: [[UInt8]]) throws {
        let files = try results.compactMap { try WrittenFile(decoding: $0) }
        let isNew = try log.commit(
            batch,
            files.map {
                SinkFileStatus(
                    path: StorePath.fileURI($0.path), size: $0.size, modificationTime: $0.modifiedMs
                )
            })
        if isNew { return }
        // A repeated batch whose first run got as far as the manifest: these files are its doubles.
        Log.info("stream", "batch was committed before", ["batch": batch.rawValue])
        for file in files { try fileSystem.delete(file.path) }
    }
}

extension StreamSink {
    static func files<Element>(
        _: Element.Type, path: String, isJSON: Bool
    ) throws -> StreamSink {
        let folder = try StorePath.resolve(path)
        let plan: LineFileSink<Element>
        if isJSON {
            plan = LineFileSink(folder: folder, ext: "json") { rows, bytes in
                for row in rows {
                    RowFields.json(row).write(into: &bytes)
                    bytes.append(UInt8(ascii: "\n"))
                }
            }
        } else {
            guard Element.self == String.self else {
                throw MillraceError(
                    .invalidArgument,
                    "Text data source supports only a single column of strings; the rows are "
                        + "\(Element.self). "
                        + "Map them to strings, or use the format json")
            }
            plan = LineFileSink(folder: folder, ext: "txt") { rows, bytes in
                for row in rows {
                    if let line = row as? String { bytes.append(contentsOf: line.utf8) }
                    bytes.append(UInt8(ascii: "\n"))
                }
            }
        }
        return StreamSink(
            description: "FileSink[\(folder)]", modes: [.append], allowsTemporaryCheckpoint: false,
            plan: plan,
            open: { place in
                try place.fileSystem.makeFolders(folder)
                return try FileStreamSink(place.fileSystem, folder: folder)
            })
    }
}
