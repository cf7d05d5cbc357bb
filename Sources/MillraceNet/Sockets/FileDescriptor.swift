import Glibc

/// One open file of the operating system. It has one owner and is closed when the owner lets go.
public struct FileDescriptor: ~Copyable, Sendable {
    public let raw: Int32

    public init(owning raw: Int32) {
        precondition(raw >= 0, "not a file descriptor")
        self.raw = raw
    }

    deinit { Glibc.close(raw) }

    /// Gives the number up: the caller closes it.
    public consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }
}

/// A file that several senders may read from at the same time; closed after the last.
public final class SharedFile: Sendable {
    private let descriptor: FileDescriptor

    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Opens a file for reading.
    public init(path: String) throws(NetError) {
        let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw NetError.last("open \(path)") }
        descriptor = FileDescriptor(owning: raw)
    }

    public var raw: Int32 { descriptor.raw }
}
