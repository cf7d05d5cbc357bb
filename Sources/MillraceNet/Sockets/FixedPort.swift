import Glibc
import MillraceBase

/// Listening on a port that the settings name: when somebody else has it, on one of the next, so
/// that several programs of one machine may have the same settings. Spark's `startServiceOnPort`.
public enum FixedPort {
    /// Calls `start` with `port`, and while that is taken with the next ones, up to `retries` of
    /// them; with 0, which takes a free one, once. Throws what `start` throws, and `unavailable`
    /// with the setting's name when all are taken.
    public static func listen<Server>(
        on port: Int, setting: String, retries: Int, _ start: (UInt16) throws -> Server
    ) throws -> Server {
        for attempt in 0...max(retries, 0) {
            do { return try start(candidate(port, attempt)) } catch let error as NetError {
                guard case .system(_, EADDRINUSE) = error, port != 0 else { throw error }
                guard attempt < retries else { break }
                Log.warn(
                    "net", "a port is taken; trying the next",
                    ["setting": setting, "port": candidate(port, attempt)])
            }
        }
        let range = retries > 0 ? "ports \(port) to \(candidate(port, retries))" : "port \(port)"
        throw MillraceError(
            .unavailable,
            "\(setting)=\(port): \(range) of this machine \(retries > 0 ? "are" : "is") taken; set "
                + "it to a free one or to 0, or millrace.port.maxRetries to more than \(retries)")
    }

    /// After the last port the first one that needs no privileges.
    private static func candidate(_ port: Int, _ attempt: Int) -> UInt16 {
        let next = port + attempt
        return UInt16(next <= 65_535 || attempt == 0 ? next : next - 65_536 + 1_024)
    }
}
