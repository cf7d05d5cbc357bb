import Glibc
import MillraceBase

/// The secret that the processes of an application share, as the settings say it.
public enum ApplicationSecret {
    /// `millrace.authenticate.secret` or the first line of its file; nil when neither is set.
    /// Throws `MillraceError` when the file cannot be read.
    public static func read(_ conf: Conf) throws -> String? {
        if let secret = conf.security.secret { return secret }
        guard let path = conf.security.secretFile else { return nil }
        guard let file = fopen(path, "r") else {
            let reason = String(cString: strerror(errno))
            throw MillraceError(
                .invalidArgument, "millrace.authenticate.secret.file=\(path): \(reason)")
        }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        let line = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !line.isEmpty else {
            throw MillraceError(
                .invalidArgument, "millrace.authenticate.secret.file=\(path): is empty")
        }
        return String(decoding: line, as: UTF8.self)
    }
}
