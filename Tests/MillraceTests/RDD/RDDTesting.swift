import Glibc
import MillraceExecutor

@testable import Millrace

/// A context whose jobs run in the calling thread, through encoded plans.
func serialContext(parallelism: Int = 3) -> MillraceContext {
    MillraceContext(runner: SerialJobRunner(), defaultParallelism: parallelism)
}

/// Numbers of partitions that every operator is tried with: one, a few, and more than there are
/// rows.
let partitionCounts = [1, 2, 3, 7, 40]

/// A new folder that is removed when the value goes.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/millrace-rdd-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { removeAll(path) }

    private func removeAll(_ path: String) {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { removeAll(path + "/" + name) }
            }
            closedir(stream)
        }
        remove(path)
    }

    @discardableResult func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = path + "/" + name
        let stream = fopen(file, "w")!
        fwrite(bytes, 1, bytes.count, stream)
        fclose(stream)
        return file
    }

    @discardableResult func write(_ name: String, _ text: String) -> String {
        write(name, Array(text.utf8))
    }

    func makeFolder(_ name: String) -> String {
        mkdir(path + "/" + name, 0o755)
        return path + "/" + name
    }

    func read(_ name: String) -> String? {
        guard let stream = fopen(path + "/" + name, "r") else { return nil }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func names(_ folder: String = "") -> [String] {
        var names: [String] = []
        guard let stream = opendir(path + "/" + folder) else { return [] }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
