import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire
import Synchronization

/// `local[N]`: one executor inside the driver's process, given by the one who assembles the
/// application.
public final class LocalBackend: DriverBackend, @unchecked Sendable {
    // Used on the driver's loop only, after an `init` that comes before it.
    private let registration: ExecutorMessage.Registration
    private let link: any ExecutorLink
    private let reports: LocalReports
    private let beat: () -> Void

    /// `beat` is called on the loop where an executor of its own process would send a heartbeat.
    public init(
        registration: ExecutorMessage.Registration, link: any ExecutorLink, reports: LocalReports,
        beat: @escaping () -> Void
    ) {
        self.registration = registration
        self.link = link
        self.reports = reports
        self.beat = beat
    }

    public func start(_ driver: DriverDoor, conf: Conf) {
        let executor = registration.executor
        reports.connect(
            Mailbox(loop: driver.loop, limit: .max) { reports in
                driver.receive(ExecutorMessage(reports), from: executor)
            })
        driver.register(registration, link: link, sendsHeartbeats: false)
        keepBeating(driver.loop, every: conf.executor.heartbeatInterval)
    }

    private func keepBeating(_ loop: EventLoop, every interval: Duration) {
        _ = loop.schedule(after: interval) { [self] in
            beat()
            keepBeating(loop, every: interval)
        }
    }

    public var requestedTotal: Int { 1 }
    public func requestTotal(_ total: Int) -> Bool { false }

    /// It lives in this process and cannot go silent.
    public func dismiss(_ executor: ExecutorID, _ loss: ExecutorLoss) {}

    /// Its one executor ends with the program.
    public func release(_ executor: ExecutorID, reason: String) {}

    public func stop(done: @escaping () -> Void) { done() }
}

/// What the threads of the local executor have to say, on its way to the driver's loop.
public final class LocalReports: Sendable {
    private let mailbox = Mutex<Mailbox<ExecutorReport>?>(nil)

    public init() {}

    func connect(_ mailbox: Mailbox<ExecutorReport>) { self.mailbox.withLock { $0 = mailbox } }

    /// Any thread. Dropped once the driver has stopped, when nobody waits for it any more.
    public func report(_ report: ExecutorReport) { _ = mailbox.withLock { $0 }?.post(report) }
}
