import CLinux
import Glibc

/// Signals as events of a loop. SIGTERM and SIGINT then arrive between two ticks instead of in the
/// middle of anything. The loop keeps the source until `close` or its own end.
public final class SignalSource {
    private let loop: EventLoop
    private let descriptor: FileDescriptor
    private var token: WatchToken?

    /// Keeps the signals from their default effect in this thread and in those it starts. To be
    /// called at the start of the program, before any thread is made.
    public static func block(_ signals: [Int32]) {
        var set = signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `handler` on the loop with each signal that arrives. The signals must have been
    /// blocked.
    public init(loop: EventLoop, signals: [Int32], handler: @escaping (Int32) -> Void)
        throws(NetError)
    {
        loop.preconditionOnLoop()
        self.loop = loop
        var set = signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let raw = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard raw >= 0 else { throw NetError.last("signalfd") }
        descriptor = FileDescriptor(owning: raw)
        token = try loop.watch(readable: raw) { self.take(handler) }
    }

    private func take(_ handler: (Int32) -> Void) {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while token != nil, Glibc.read(descriptor.raw, &info, size) == size {
            handler(Int32(info.ssi_signo))
        }
    }

    /// Stops listening. The signals stay blocked.
    public func close() {
        if let token = token.take() { loop.unwatch(token) }
    }
}

private func signalSet(_ signals: [Int32]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    return set
}
