import CLinux
import Glibc
import MillraceBase

/// One thread for user code, which may block as long as it likes: it is not of Swift's cooperative
/// pool.
public final class TaskThread: @unchecked Sendable {
    // Written by `init`, read by `join`; pthread itself orders the two.
    private var thread = pthread_t()

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// User code recurses and works on large values; a page of a stack costs nothing until it is
    /// touched.
    private static let stackBytes = 16 << 20

    /// Throws when the system has no more threads.
    public init(name: String, body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let code = pthread_create(&thread, &attributes, taskThreadMain, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw MillraceError(
                .system, "cannot start a thread: \(String(cString: strerror(code)))")
        }
    }

    public func join() { pthread_join(thread, nil) }

    /// Runs `body` on a new thread that nobody waits for. Throws when the system has no more
    /// threads.
    public static func detached(
        name: String, body: @escaping @Sendable () -> Void
    ) throws {
        pthread_detach(try TaskThread(name: name, body: body).thread)
    }

    fileprivate static func main(_ argument: UnsafeMutableRawPointer?) {
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
        start.body()
    }
}

/// Top level, so that it belongs to no actor.
private func taskThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    TaskThread.main(argument)
    return nil
}
