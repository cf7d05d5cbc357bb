import Glibc
public import MillraceBase
import MillraceNet
import MillraceStore

/// Runs a shuffle service until SIGTERM or SIGINT.
public enum ShuffleServiceProgram {
    /// Serves, and returns when asked to end. `ready` gets the service's address once it listens.
    /// Throws `NetError`, `StoreError` and `MillraceError` when it cannot start. To be called on
    /// the main thread, before others are made.
    public static func run(
        _ options: ShuffleService.Options, conf: Conf, ready: @escaping @Sendable (String) -> Void
    ) throws {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        let loop = try EventLoop(name: "shuffle-service")
        let tls = try TLSContext.server(conf)
        try loop.start()
        let service = try loop.sync {
            try ShuffleService(loop: loop, options: options, tls: tls)
        }
        ready(service.address.description)
        var received: Int32 = 0
        while sigwait(&signals, &received) != 0 {}
        try loop.sync(within: .seconds(5)) { service.close() }
        loop.stop()
        _ = loop.join(within: .seconds(5))
    }

    /// What callers must bring: the secret of the settings, if there is one and TLS doesn't do
    /// that.
    public static func token(_ conf: Conf) throws -> String? {
        conf.security.isTLSEnabled ? nil : try ApplicationSecret.read(conf)
    }
}
