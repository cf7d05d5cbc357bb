import MillraceBase

/// What failed on durable storage: which operation, on which path, why.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a caller decides on.
    public enum Kind: Hashable, Sendable {
        /// No such file or folder.
        case notFound
        /// The name is taken.
        case alreadyExists
        /// The disk, or the quota on it, is full.
        case noSpace
        /// Bytes that are not what their format says, from this offset of the file on.
        case corrupt(offset: Int)
        /// Another process holds the lock.
        case locked
        /// Another writer put something else in this place (a second driver on one checkpoint).
        case concurrentUpdate
        /// A path, a format version or a file system that is not known here.
        case unsupported
        /// Anything else that the operating system refused.
        case system(errno: Int32)
    }

    public var kind: Kind
    /// A verb: "create", "write", "rename", "load the state of version 12 from".
    public var operation: String
    public var path: String
    /// The operating system's words, or ours.
    public var reason: String

    public init(_ kind: Kind, _ operation: String, _ path: String, _ reason: String) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    /// Bytes at `offset` of `path` that cannot be right.
    public static func corrupt(_ path: String, at offset: Int, _ reason: String) -> StoreError {
        StoreError(.corrupt(offset: offset), "read", path, "at byte \(offset): \(reason)")
    }

    public var isCorrupt: Bool {
        if case .corrupt = kind { true } else { false }
    }

    public var description: String { "cannot \(operation) \(path): \(reason)" }

    /// For the user, with the code that fits.
    public var asMillraceError: MillraceError {
        let code: MillraceError.Code =
            switch kind {
            case .notFound: .notFound
            case .corrupt: .corruptData
            case .locked, .concurrentUpdate: .permissionDenied
            case .unsupported: .invalidArgument
            case .alreadyExists, .noSpace, .system: .system
            }
        return MillraceError(code, description, cause: self, isRetriable: kind == .noSpace)
    }
}
