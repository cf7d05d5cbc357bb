import Glibc
import MillraceBase
import Synchronization

/// How this executor is to end, told by the loop to the main thread, which waits for it or for a
/// signal.
final class ExecutorEnding: Sendable {
    private let code = Mutex<Int32?>(nil)
    private let mainThread = pthread_self()

    /// Any thread; the first call counts.
    func end(_ code: Int32) {
        let isFirst = self.code.withLock { current in
            guard current == nil else { return false }
            current = code
            return true
        }
        if isFirst { pthread_kill(mainThread, SIGTERM) }
    }

    /// The exit code: what the loop said, or 0 when somebody asked the process to end. `signals`
    /// are blocked and contain SIGTERM. The first SIGTERM or SIGPWR may be a request to leave in
    /// order: `leave` says whether the driver was asked, who then ends this executor when its tasks
    /// are done. The second one, and SIGINT, end it at once. On the main thread.
    func wait(_ signals: sigset_t, leave: (_ signal: Int32) -> Bool) -> Int32 {
        var signals = signals
        var isLeaving = false
        while true {
            var received: Int32 = 0
            sigwait(&signals, &received)
            if let code = code.withLock({ $0 }) { return code }
            if received == SIGINT || isLeaving { return ExitCode.success }
            isLeaving = leave(received)
            if !isLeaving { return ExitCode.success }
        }
    }
}
