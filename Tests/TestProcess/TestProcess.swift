import Foundation
import Glibc

/// A child process of a test, with the members of Foundation's `Process` that tests use.
///
/// Foundation's learns of a child's end by a socket that the child inherits. Whatever else is
/// started meanwhile inherits it too: a broker that lives on keeps it open, and `waitUntilExit`
/// waits for the broker. This one closes everything but the three standard streams in the child,
/// starts it with no signal blocked, and waits with `waitpid`.
public final class TestProcess {
    public enum TerminationReason: Sendable { case exit, uncaughtSignal }

    public var executableURL: URL?
    public var arguments: [String] = []
    public var environment: [String: String] = ProcessInfo.processInfo.environment
    /// A `FileHandle` or a `Pipe`; nil is this process's own. Likewise the two below.
    public var standardInput: Any?
    public var standardOutput: Any?
    public var standardError: Any?
    public private(set) var processIdentifier: pid_t = 0
    private let status = NSLock()
    private var code: Int32?

    public init() {}

    /// Throws `POSIXError` when there is no such program.
    public func run() throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, stream) in [(0, standardInput), (1, standardOutput), (2, standardError)] {
            guard let source = Self.descriptor(stream, isInput: target == 0) else { continue }
            if source >= 0 {
                posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
            } else {
                // FileHandle.nullDevice has no descriptor.
                posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", O_RDWR, 0)
            }
        }
        _ = closeFrom(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let path = executableURL?.path ?? ""
        var words: [UnsafeMutablePointer<CChar>?] =
            ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        let error = posix_spawn(&processIdentifier, path, &actions, &attributes, &words, &variables)
        guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
        // The child has them; as long as we have them too, a reader sees no end.
        for case let pipe as Pipe in [standardOutput, standardError] {
            try? pipe.fileHandleForWriting.close()  // one pipe may be both
        }
    }

    /// Blocks this thread until the child has ended.
    public func waitUntilExit() { _ = reap(blocking: true) }

    public var isRunning: Bool { reap(blocking: false) == nil }
    public func terminate() { if isRunning { kill(processIdentifier, SIGTERM) } }
    public func interrupt() { if isRunning { kill(processIdentifier, SIGINT) } }

    /// The exit code, or the signal's number.
    public var terminationStatus: Int32 {
        guard let code = reap(blocking: true) else { return 0 }
        return code & 0x7F == 0 ? (code >> 8) & 0xFF : code & 0x7F
    }

    public var terminationReason: TerminationReason {
        (reap(blocking: true) ?? 0) & 0x7F == 0 ? .exit : .uncaughtSignal
    }

    /// What `waitpid` says, once; nil while the child runs.
    private func reap(blocking: Bool) -> Int32? {
        precondition(processIdentifier > 0, "run() comes first")
        if blocking {
            // Without taking the child away, so that the lock is never held for long.
            var information = siginfo_t()
            while waitid(P_PID, id_t(processIdentifier), &information, WEXITED | WNOWAIT) != 0,
                errno == EINTR
            {}
        }
        status.lock()
        defer { status.unlock() }
        if let code { return code }
        var found: Int32 = 0
        if waitpid(processIdentifier, &found, WNOHANG) == processIdentifier { code = found }
        return code
    }

    private static func descriptor(_ stream: Any?, isInput: Bool) -> Int32? {
        switch stream {
        case let handle as FileHandle: handle.fileDescriptor
        case let pipe as Pipe:
            (isInput ? pipe.fileHandleForReading : pipe.fileHandleForWriting).fileDescriptor
        default: nil
        }
    }
}

// A lock guards the one thing that changes after `run`.
extension TestProcess: @unchecked Sendable {}

// In glibc, and not in the Glibc module.
@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
private func closeFrom(_: UnsafeMutablePointer<posix_spawn_file_actions_t>, _: Int32) -> Int32
