import Glibc
import MillraceBase

/// What names an application and keeps strangers out.
struct ApplicationIdentity: Sendable {
    /// `app-<milliseconds>-<process>`, as Spark's, with the process so that two of one instant
    /// differ.
    let applicationID: String
    /// What the application's processes show each other: `millrace.authenticate.secret` or its
    /// file, or a random one of this run.
    let token: String

    /// Throws `MillraceError` when the secret's file cannot be read.
    init(_ conf: Conf) throws {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = Int(now.tv_sec) * 1000 + Int(now.tv_nsec) / 1_000_000
        applicationID = "app-\(milliseconds)-\(getpid())"
        token = try Self.secret(conf) ?? Self.randomToken()
    }

    private static func secret(_ conf: Conf) throws -> String? {
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

    /// 256 bits in hexadecimal digits.
    private static func randomToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
