import Glibc
import MillraceBase
import MillraceNet

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
        token = try ApplicationSecret.read(conf) ?? Self.randomToken()
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
