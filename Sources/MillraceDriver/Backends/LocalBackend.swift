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

    public init(
        registration: ExecutorMessage.Registration, link: any ExecutorLink, reports: LocalReports
    ) {
        self.registration = registration
        self.link = link
        self.reports = reports
    }

    public func start(_ driver: DriverDoor, conf: Conf) {
        let executor = registration.executor
        reports.connect(
            Mailbox(loop: driver.loop, limit: .max) { ends in
                var message = ExecutorMessage()
                message.taskEnds = ends
                driver.receive(message, from: executor)
            })
        driver.register(registration, link: link, sendsHeartbeats: false)
    }

    public func requestTotal(_ total: Int) -> Bool { false }

    /// It lives in this process and cannot go silent.
    public func dismiss(_ executor: ExecutorID, reason: String) {}

    /// Its one executor ends with the program.
    public func release(_ executor: ExecutorID, reason: String) {}

    public func stop(done: @escaping () -> Void) { done() }
}

/// The ends of tasks on their way from the task threads of this process to the driver's loop.
public final class LocalReports: Sendable {
    private let mailbox = Mutex<Mailbox<TaskEnd>?>(nil)

    public init() {}

    func connect(_ mailbox: Mailbox<TaskEnd>) { self.mailbox.withLock { $0 = mailbox } }

    /// Any thread. Dropped once the driver has stopped, when nobody waits for it any more.
    public func report(_ end: TaskEnd) { _ = mailbox.withLock { $0 }?.post(end) }
}
