import Glibc
import MillraceBase

/// Takes connections on one address and hands them to its owner. Loop-owned.
final class Listener: ReadinessHandler {
    /// How long to leave waiting connections alone when the process has no descriptors left.
    private static let pauseWhenExhausted = Duration.milliseconds(100)
    /// Connections taken per tick, so that a flood does not starve the others.
    private static let maxAcceptsPerTick = 64

    let address: SocketAddress
    private let loop: EventLoop
    private let descriptor: FileDescriptor
    private var registration: Registration?
    private var accepted: ((consuming FileDescriptor, SocketAddress) -> Void)?

    init(
        loop: EventLoop, address: SocketAddress,
        accepted: @escaping (consuming FileDescriptor, SocketAddress) -> Void
    ) throws(NetError) {
        loop.preconditionOnLoop()
        self.loop = loop
        self.accepted = accepted
        descriptor = try Socket.listen(address)
        self.address = try Socket.localAddress(descriptor.raw)
        registration = try loop.register(descriptor.raw, self, events: Poller.readable)
    }

    func ready(_ events: UInt32) {
        for _ in 0..<Self.maxAcceptsPerTick {
            do {
                guard let (raw, peer) = try Socket.accept(descriptor.raw) else { return }
                guard let accepted else {
                    Glibc.close(raw)
                    return
                }
                accepted(FileDescriptor(owning: raw), peer)
            } catch {
                Log.error(
                    "net", "connections cannot be taken", ["address": address, "error": error])
                return pause()
            }
        }
    }

    func loopStopped() { close() }

    /// The port is free again when this returns and the last reference is gone.
    func close() {
        accepted = nil
        if let registration = registration.take() { loop.unregister(registration) }
    }

    private func pause() {
        guard let registration else { return }
        loop.update(registration, events: 0)
        loop.schedule(after: Self.pauseWhenExhausted) { [weak self] in
            guard let self, let registration = self.registration else { return }
            self.loop.update(registration, events: Poller.readable)
        }
    }
}
