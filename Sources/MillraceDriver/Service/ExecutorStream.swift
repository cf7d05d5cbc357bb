import MillraceBase
import MillraceCore
import MillraceNet
import MillraceWire

/// The control stream of one executor, on the driver's side: from an unknown caller to a registered
/// executor.
///
/// Belongs to the driver's loop; kept by the call's closures.
final class ExecutorStream: ExecutorLink {
    /// Decides about a registration: nil lets it in, a status ends the call.
    typealias Admission = (ExecutorMessage.Registration) -> RPCStatus?

    private let call: RPCServerCall
    private let driver: DriverDoor
    private let admit: Admission
    private let lost: (ExecutorID) -> Void
    private let arena = WireArena()
    private var executor: ExecutorID?

    init(
        call: RPCServerCall, driver: DriverDoor, admit: @escaping Admission,
        lost: @escaping (ExecutorID) -> Void
    ) {
        self.call = call
        self.driver = driver
        self.admit = admit
        self.lost = lost
        call.onMessage = { [self] bytes in receive(bytes) }
        call.onHalfClose = { [self] in end() }
        call.onCancel = { [self] _ in end() }
    }

    func send(_ message: DriverMessage) {
        guard call.isOpen else { return }
        if !call.send(message.encoded(arena: arena)) {
            call.finish(RPCStatus(.resourceExhausted, "the executor does not read what it is sent"))
            end()
        }
    }

    func close(reason: String) {
        executor = nil
        if call.isOpen { call.finish(RPCStatus(.aborted, reason)) }
        forget()
    }

    private func receive(_ bytes: [UInt8]) {
        do {
            let message = try ExecutorMessage(decoding: bytes, arena: arena)
            if let executor {
                driver.receive(message, from: executor)
            } else if let registration = message.register {
                register(registration)
            } else {
                refuse(RPCStatus(.failedPrecondition, "the first message is not a registration"))
            }
        } catch { refuse(RPCStatus(.invalidArgument, error.message)) }
    }

    private func register(_ registration: ExecutorMessage.Registration) {
        if let status = admit(registration) { return refuse(status) }
        executor = registration.executor
        driver.register(registration, link: self)
    }

    private func refuse(_ status: RPCStatus) {
        Log.warn("driver", "refused an executor", ["peer": call.peer, "reason": status.message])
        if call.isOpen { call.finish(status) }
        end()
    }

    private func end() {
        if call.isOpen { call.finish(RPCStatus(.ok, "")) }
        if let executor {
            self.executor = nil
            lost(executor)
        }
        forget()
    }

    /// Breaks the circle between the call and this object.
    private func forget() {
        call.onMessage = nil
        call.onHalfClose = nil
        call.onCancel = nil
    }
}
