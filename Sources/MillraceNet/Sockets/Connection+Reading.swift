import Glibc
import MillraceBase

/// From the socket to the protocol.
extension Connection {
    /// Reads per readiness: enough for a fast peer, few enough that the others get their turn.
    private static let maxReadsPerTick = 8

    func receive() {
        for _ in 0..<Self.maxReadsPerTick {
            guard let raw = socketNumber, !isReadingPaused else { return }
            let buffer = loop.readBuffer
            let count = Glibc.read(raw, buffer.baseAddress, buffer.count)
            if count < 0 {
                switch errno {
                case EAGAIN: return
                case EINTR: continue
                default: return close(NetError.last("read from \(peer)"))
                }
            }
            if count == 0 { return endOfInput() }
            lastReceived = loop.now
            take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if count < buffer.count { return }
        }
    }

    private var socketNumber: Int32? { state == .closed ? nil : number }

    private func endOfInput() {
        switch state {
        case .handshaking: close(.closed("\(peer) closed the connection during the TLS handshake"))
        default: close(nil)
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard state != .draining else { return }
        guard tls != nil else {
            delegate?.connection(self, received: bytes)
            return
        }
        tls!.feed(bytes)  // checked above
        if state == .handshaking { advanceHandshake() }
        if state == .open { decrypt() }
    }

    func advanceHandshake() {
        guard let tls else { return }
        do throws(NetError) {
            let isDone = try tls.handshake()
            moveCiphertext()
            if isDone { open() }
        } catch {
            // The alert that says why goes out before the connection is closed.
            moveCiphertext()
            close(error)
        }
    }

    private func decrypt() {
        let buffer = loop.plainBuffer
        while state == .open, let tls {
            do throws(NetError) {
                let count = try tls.read(into: buffer)
                guard count > 0 else { break }
                delegate?.connection(
                    self, received: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                moveCiphertext()
                return close(error)
            }
        }
        guard state != .closed, let tls else { return }
        if tls.isClosedByPeer { return close(nil) }
        moveCiphertext()
    }

    /// Handshake messages, alerts and key updates leave at once: there is nobody else to flush
    /// them.
    private func moveCiphertext() {
        guard let tls, let raw = socketNumber else { return }
        tls.takeOutput(into: &ciphertext)
        guard !ciphertext.isEmpty, !isBlocked else { return }
        if ciphertext.write(to: raw) == .blocked {
            isBlocked = true
            updateInterest()
        }
    }
}
