import Glibc
import MillraceBase
import MillraceExecutor
import MillraceStore

/// Finds the files behind a `textFile` argument and cuts them into splits, by Hadoop's rules
/// (FileInputFormat).
enum TextFiles {
    /// Largest split of a local file: Hadoop's `fs.local.block.size`.
    static let blockSize = 32 << 20
    /// A rest of up to a tenth of a split is not worth a task.
    static let slop = 1.1
    /// Compressed formats that Hadoop would unpack and we don't (yet).
    static let refused = [".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".xz", ".lzo"]

    struct Input: Hashable {
        var path: String
        var size: Int
    }

    /// `location`: paths, `file:` URIs, folders and globs (`* ? [a-z] {a,b}`), separated by commas.
    /// Throws `MillraceError.notFound` naming what doesn't exist.
    static func splits(_ location: String, minPartitions: Int) throws -> [TextSplit] {
        var inputs: [Input] = []
        for part in cut(location) { inputs += try files(part) }
        return splits(inputs, minPartitions: minPartitions)
    }

    static func splits(_ inputs: [Input], minPartitions: Int) -> [TextSplit] {
        let total = inputs.reduce(0) { $0 + $1.size }
        let size = max(1, min(total / max(minPartitions, 1), blockSize))
        var splits: [TextSplit] = []
        for input in inputs {
            let isGzip = input.path.hasSuffix(".gz")
            var start = 0
            if !isGzip {
                while Double(input.size - start) / Double(size) > slop {
                    splits.append(
                        TextSplit(path: input.path, start: start, length: size, isGzip: false))
                    start += size
                }
            }
            if start < input.size || input.size == 0 {
                splits.append(
                    TextSplit(
                        path: input.path, start: start, length: input.size - start, isGzip: isGzip))
            }
        }
        return splits
    }

    /// Cuts at commas that are not within braces.
    static func cut(_ location: String) -> [String] {
        var parts = [""]
        var depth = 0
        for character in location {
            if character == "{" { depth += 1 }
            if character == "}" { depth = max(depth - 1, 0) }
            if character == ",", depth == 0 {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    /// The files of one path or glob, sorted; those of a folder without the hidden ones (`.x`,
    /// `_x`).
    private static func files(_ location: String) throws -> [Input] {
        let fileSystem = PosixFileSystem()
        do {
            let path = try StorePath.resolve(location)
            let isPattern = path.contains { "*?[{".contains($0) }
            let paths = isPattern ? matches(path) : [path]
            if paths.isEmpty {
                throw MillraceError(.notFound, "input pattern \(location) matches no file")
            }
            var inputs: [Input] = []
            for path in paths {
                guard let status = try fileSystem.status(path) else {
                    throw MillraceError(.notFound, "input path does not exist: \(location)")
                }
                if !status.isFolder {
                    inputs.append(Input(path: path, size: status.size))
                    continue
                }
                for entry in try fileSystem.list(path) where !isHidden(entry.name) {
                    let child = StorePath.join(path, entry.name)
                    if entry.isFolder {
                        throw MillraceError(
                            .invalidArgument,
                            "\(child) is a folder within an input folder; name it, or use a glob")
                    }
                    inputs.append(Input(path: child, size: entry.size))
                }
            }
            for input in inputs {
                if let suffix = refused.first(where: input.path.hasSuffix) {
                    throw MillraceError(
                        .invalidArgument,
                        "\(input.path): \(suffix) files cannot be read; unpack it, or use .gz")
                }
            }
            return inputs
        } catch let error as StoreError {
            throw error.asMillraceError
        }
    }

    static func isHidden(_ name: String) -> Bool { name.hasPrefix(".") || name.hasPrefix("_") }

    private static func matches(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, GLOB_BRACE, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap {
            result.gl_pathv[$0].map { String(cString: $0) }
        }
        .filter { !isHidden(StorePath.name(of: $0)) }
    }
}
