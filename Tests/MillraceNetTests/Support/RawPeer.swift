import MillraceBase

@testable import MillraceNet

/// A peer that says what it is told to, whatever the protocol, and remembers what it hears.
/// Loop-owned.
final class RawPeer: ConnectionDelegate {
    private(set) var received: [UInt8] = []
    private(set) var connection: Connection?
    private let greeting: [UInt8]
    var onReceive: (() -> Void)?
    var onClose: (() -> Void)?

    /// Connects, sends the bytes, listens.
    init(
        _ loop: EventLoop, to address: SocketAddress, saying bytes: [UInt8], tls: TLSSession? = nil
    ) throws {
        greeting = bytes
        connection = try Connection(
            connecting: address, loop: loop, tls: tls, delegate: self, highWatermark: 1 << 20,
            timeout: .seconds(10))
    }

    /// Takes an accepted connection, sends the bytes, listens.
    init(
        _ loop: EventLoop, accepted socket: consuming FileDescriptor, _ peer: SocketAddress,
        saying bytes: [UInt8]
    ) {
        greeting = bytes
        connection = Connection(
            accepted: socket, peer: peer, loop: loop, tls: nil, delegate: self,
            highWatermark: 1 << 20,
            handshakeTimeout: .seconds(10))
    }

    var text: String { String(decoding: received, as: UTF8.self) }

    func send(_ bytes: [UInt8]) { connection?.write(bytes) }
    func close() { connection?.close(nil) }

    func connectionOpened(_ connection: Connection) {
        connection.write(greeting)
    }
    func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
        received.append(contentsOf: bytes)
        onReceive?()
    }
    func connectionFillsOutput(_ connection: Connection) {}
    func connectionClosed(_ connection: Connection, _ error: NetError?) { onClose?() }
}
