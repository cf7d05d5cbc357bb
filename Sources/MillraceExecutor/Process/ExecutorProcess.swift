import CLinux
import Glibc
import MillraceBase
import MillraceNet
import MillraceStore
import MillraceWire

/// The main program of an executor: a loop with the control stream and the block server, task
/// threads, and an end with one of Spark's exit codes.
public enum ExecutorProcess {
    /// Runs this process as an executor if a driver started it as one, and returns its exit code at
    /// the end; nil at once if not. To be called first thing in `main`, on the main thread.
    public static func runIfAsked() -> Int32? {
        do {
            guard let launch = try ExecutorLaunch() else { return nil }
            let conf = try LaunchEnvironment.conf()
            Log.configure(level: conf.log.level, format: conf.log.format)
            return run(launch, conf)
        } catch {
            Log.error("executor", "cannot start", ["reason": error])
            return ExitCode.misuse
        }
    }

    private static func run(_ launch: ExecutorLaunch, _ conf: Conf) -> Int32 {
        // An executor without its driver is of no use, however the driver ended.
        clinux_die_with_parent(SIGKILL)
        signal(SIGPIPE, SIG_IGN)
        clinux_configure_allocator()
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGPWR)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        do {
            try ClosureCodec.selfTest()
            let ending = ExecutorEnding()
            let executor = try RunningExecutor(launch, conf, ending)
            let code = ending.wait(signals) { signal in
                conf.decommission.isEnabled && executor.askToLeave(signal)
            }
            executor.stop()
            return code
        } catch {
            Log.error(
                "executor", "cannot start", ["executor": launch.executor.rawValue, "reason": error])
            return error is StoreError ? ExitCode.localDirectoryFailure : ExitCode.uncaughtError
        }
    }
}
