import MillraceBase

/// What a program holds of its cluster: RDDs through `context`, streams through `readStream`.
/// Spark's SparkSession.
public final class MillraceSession: Sendable {
    public let context: MillraceContext
    public var conf: Conf { context.conf }

    public init(context: MillraceContext) { self.context = context }

    /// Connects to the master of the settings, starts executors, and returns when they can be given
    /// tasks. Throws `MillraceError` (`invalidArgument` for a master that is not supported,
    /// `unavailable` when executors do not come).
    public static func start(_ conf: Conf) async throws -> MillraceSession {
        MillraceSession(context: try await MillraceContext.start(conf))
    }

    /// For programs and tests: `start` with settings as text.
    public static func start(_ settings: [String: String]) async throws -> MillraceSession {
        try await start(Conf(settings))
    }

    /// Ends running queries, jobs, executors and threads, in this order. Nothing the second time.
    public func stop() async {
        await streams.stopAll()
        await context.stop()
    }
}
