/// The one error a user of Millrace sees: what happened, to what, and what to do.
///
/// `code` is a struct over a closed set, so that a new code is not a source break.
public struct MillraceError: Error, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let name: String
        init(_ name: String) { self.name = name }
        public var description: String { name }

        /// A setting, an argument or an API call that cannot be right. Programs exit with 2.
        public static var invalidArgument: Code { Code("invalidArgument") }
        /// A closure or value that cannot be sent to another process.
        public static var notSerializable: Code { Code("notSerializable") }
        /// Bytes that are not what their format says (a frame, a file, a checkpoint).
        public static var corruptData: Code { Code("corruptData") }
        /// A job that was given up: a task failed too often, or its stage did.
        public static var jobAborted: Code { Code("jobAborted") }
        /// A job, query or call that was cancelled on request.
        public static var cancelled: Code { Code("cancelled") }
        /// A peer, broker or disk that could not be reached in time.
        public static var unavailable: Code { Code("unavailable") }
        /// A deadline that passed.
        public static var deadlineExceeded: Code { Code("deadlineExceeded") }
        /// Another owner holds what was asked for, or the caller may not have it.
        public static var permissionDenied: Code { Code("permissionDenied") }
        /// A file, topic or name that does not exist.
        public static var notFound: Code { Code("notFound") }
        /// A checkpoint, log or store that contradicts the program that opens it.
        public static var incompatibleState: Code { Code("incompatibleState") }
        /// A streaming query that ended with an error.
        public static var queryFailed: Code { Code("queryFailed") }
        /// More executors failed than `millrace.executor.maxNumFailures` allows. Programs exit
        /// with 11.
        public static var tooManyExecutorFailures: Code { Code("tooManyExecutorFailures") }
        /// The operating system refused (its words are in the message).
        public static var system: Code { Code("system") }
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?
    /// Whether the same call may succeed later without a change of the program.
    public var isRetriable: Bool

    public init(
        _ code: Code, _ message: String, cause: (any Error)? = nil, isRetriable: Bool = false
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.isRetriable = isRetriable
    }

    public var description: String {
        cause.map { "\(message) (cause: \($0))" } ?? message
    }
}
