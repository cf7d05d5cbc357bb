import COpenSSL
import Glibc

/// TLS of one connection as a codec: ciphertext in and out of memory, no socket. Loop-owned.
final class TLSSession {
    private let context: TLSContext
    private let session: OpaquePointer
    /// Both belong to `session`.
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// The peer has said that it sends nothing more (close_notify).
    private(set) var isClosedByPeer = false

    /// `host` is what a client dialled: its name or address must be in the server's certificate.
    init(_ context: TLSContext, host: String?) throws(NetError) {
        guard let session = SSL_new(context.pointer), let input = BIO_new(BIO_s_mem()),
            let output = BIO_new(BIO_s_mem())
        else { throw NetError.openSSL("TLS session") }
        self.context = context
        self.session = session
        self.input = input
        self.output = output
        SSL_set_bio(session, input, output)
        if context.isServer {
            SSL_set_accept_state(session)
        } else {
            SSL_set_connect_state(session)
            try verify(context.serverName ?? host ?? "")
        }
    }

    deinit { SSL_free(session) }

    /// The subject of the peer's certificate, if it has shown one.
    var peerSubject: String? {
        guard let pointer = SSL_get1_peer_certificate(session) else { return nil }
        return Certificate(owning: pointer).subject
    }

    /// Takes ciphertext from the peer.
    func feed(_ bytes: UnsafeRawBufferPointer) {
        let written = BIO_write(input, bytes.baseAddress, Int32(bytes.count))
        precondition(written == bytes.count, "a memory BIO takes everything")
    }

    /// Moves the handshake on; true when it is done.
    func handshake() throws(NetError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(session)
        if result == 1 { return true }
        guard isWaiting(result) else { throw failure("TLS handshake") }
        return false
    }

    /// Plaintext that has arrived: how many bytes, 0 when more ciphertext is needed or the peer has
    /// ended.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(NetError) -> Int {
        ERR_clear_error()
        let count = SSL_read(session, buffer.baseAddress, Int32(buffer.count))
        if count > 0 { return Int(count) }
        if SSL_get_error(session, count) == SSL_ERROR_ZERO_RETURN {
            isClosedByPeer = true
            return 0
        }
        guard isWaiting(count) else { throw failure("TLS") }
        return 0
    }

    /// Encrypts. A memory BIO takes everything, so this is complete or an error.
    func write(_ bytes: UnsafeRawBufferPointer) throws(NetError) {
        var rest = bytes
        while !rest.isEmpty {
            ERR_clear_error()
            let count = SSL_write(session, rest.baseAddress, Int32(rest.count))
            guard count > 0 else { throw failure("TLS") }
            rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...])
        }
    }

    /// Says that nothing more will be sent.
    func sendCloseNotify() {
        ERR_clear_error()
        SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Moves the ciphertext for the peer to the queue.
    func takeOutput(into queue: inout OutboundQueue) {
        withUnsafeTemporaryAllocation(byteCount: 17 * 1024, alignment: 16) { buffer in
            while true {
                let count = BIO_read(output, buffer.baseAddress, Int32(buffer.count))
                guard count > 0 else { return }
                queue.append(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
            }
        }
    }

    private func verify(_ host: String) throws(NetError) {
        var address = in6_addr()
        let isNumeric =
            inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
        if isNumeric {
            guard X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1 else {
                throw NetError.openSSL("address \(host)")
            }
            return
        }
        guard SSL_set1_host(session, host) == 1 else { throw NetError.openSSL("host \(host)") }
        _ = copenssl_set_server_name(session, host)
    }

    private func isWaiting(_ result: Int32) -> Bool {
        let code = SSL_get_error(session, result)
        return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE
    }

    /// Says why a certificate was not accepted, which OpenSSL's error queue leaves out.
    private func failure(_ operation: String) -> NetError {
        let verification = SSL_get_verify_result(session)
        let error = NetError.openSSL(operation)
        guard Int32(verification) != X509_V_OK, case .tls(let text) = error,
            let reason = X509_verify_cert_error_string(verification)
        else { return error }
        return .tls("\(text) (\(String(cString: reason)))")
    }
}
