import Glibc
import MillraceStore

/// A new folder that is removed when the value goes.
final class TemporaryTestFolder {
    let path: String

    init() {
        var template = Array("/tmp/millrace-executor-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { try? PosixFileSystem().deleteTree(path) }

    var names: [String] { (try? PosixFileSystem().names(in: path)) ?? [] }
}
