import CLinux
import Glibc
import MillraceBase

/// From the protocol to the socket: at the end of a tick, and whenever a full socket has room
/// again.
extension Connection {
    /// Rounds of "ask for output, write it" per flush; then the others have their turn.
    private static let maxRoundsPerFlush = 8
    /// The largest TLS record.
    private static let recordSize = 16 * 1024

    func flush() {
        isDirty = false
        for _ in 0..<Self.maxRoundsPerFlush {
            guard state != .closed, !isBlocked else { return }
            if state == .open, hasRoom { delegate?.connectionFillsOutput(self) }
            guard state == .open || state == .draining || state == .handshaking else { return }
            guard encrypt() else { return }
            guard !outbound.isEmpty || !ciphertext.isEmpty else { return finishDraining() }
            switch tls == nil ? outbound.write(to: number) : ciphertext.write(to: number) {
            case .drained: continue
            case .blocked:
                isBlocked = true
                return updateInterest()
            case .failed(let code): return close(.system(operation: "write to \(peer)", code: code))
            }
        }
        flushLater()
    }

    /// Moves queued bytes through TLS; false if the connection was closed by that.
    private func encrypt() -> Bool {
        guard let tls, state != .handshaking else { return true }
        let buffer = UnsafeMutableRawBufferPointer(rebasing: loop.plainBuffer[..<Self.recordSize])
        while !outbound.isEmpty, ciphertext.count < highWatermark {
            let count = outbound.read(into: buffer)
            guard count > 0 else {
                close(NetError.last("reading a file for \(peer)"))
                return false
            }
            do throws(NetError) {
                try tls.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                close(error)
                return false
            }
            tls.takeOutput(into: &ciphertext)
        }
        return true
    }

    /// Everything is sent: tell the peer so, and wait (briefly) for it to close, because closing
    /// while its bytes are unread would make the system discard ours.
    private func finishDraining() {
        guard state == .draining, !hasShutDownWriting else { return }
        hasShutDownWriting = true
        if let tls {
            tls.sendCloseNotify()
            tls.takeOutput(into: &ciphertext)
            _ = ciphertext.write(to: number)
        }
        Glibc.shutdown(number, Int32(SHUT_WR))
    }
}
