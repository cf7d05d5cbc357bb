import COpenSSL

/// Which certificate, key and authorities a side of TLS uses: made once, shared by its connections.
///
/// TLS 1.2 at least, ALPN `h2` offered and accepted.
public final class TLSContext: Sendable {
    /// A certificate chain (leaf first) and its key, PEM text.
    public struct Identity: Sendable {
        public var certificateChain: [UInt8]
        public var privateKey: [UInt8]
        public init(certificateChain: [UInt8], privateKey: [UInt8]) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
        }
    }

    /// Whether a server asks its clients for a certificate.
    public enum ClientCertificates: Sendable {
        /// Not asked for.
        case none
        /// Asked for; one that is given must be signed by the authorities.
        case optional
        /// A client without a certificate of the authorities is refused.
        case required
    }

    public let requiresClientCertificate: Bool
    let isServer: Bool
    let serverName: String?
    /// OpenSSL's SSL_CTX is not changed after it is made, and counts its references atomically.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// For listeners. `authorities` (PEM) sign the clients' certificates. Throws `NetError.tls`.
    public static func server(
        identity: Identity, authorities: [UInt8]? = nil,
        clientCertificates: ClientCertificates = .none
    ) throws(NetError) -> TLSContext {
        precondition(
            clientCertificates == .none || authorities != nil,
            "client certificates without their authorities")
        let context = try TLSContext(
            isServer: true, clientCertificates: clientCertificates, serverName: nil)
        try context.use(identity)
        if let authorities { try context.trust(authorities) }
        SSL_CTX_set_alpn_select_cb(context.pointer, selectProtocol, nil)
        var sessionID = Array("millrace".utf8)
        SSL_CTX_set_session_id_context(context.pointer, &sessionID, UInt32(sessionID.count))
        return context
    }

    /// For dialling. `authorities` (PEM) sign the server's certificate; nil: the system's. The
    /// server's name or address is verified against its certificate, `serverName` if given instead
    /// of the host that was dialled. Throws `NetError.tls`.
    public static func client(
        authorities: [UInt8]? = nil, identity: Identity? = nil, serverName: String? = nil
    ) throws(NetError) -> TLSContext {
        let context = try TLSContext(
            isServer: false, clientCertificates: .none, serverName: serverName)
        if let authorities {
            try context.trust(authorities)
        } else if SSL_CTX_set_default_verify_paths(context.pointer) != 1 {
            throw NetError.openSSL("the system's certificate authorities")
        }
        if let identity { try context.use(identity) }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        let protocols: [UInt8] = [2] + Array("h2".utf8)
        SSL_CTX_set_alpn_protos(context.pointer, protocols, UInt32(protocols.count))
        return context
    }

    private init(isServer: Bool, clientCertificates: ClientCertificates, serverName: String?)
        throws(NetError)
    {
        self.isServer = isServer
        self.serverName = serverName
        requiresClientCertificate = clientCertificates == .required
        guard let pointer = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw NetError.openSSL("TLS context")
        }
        self.pointer = pointer
        _ = copenssl_require_tls12(pointer)
        _ = copenssl_set_modes(pointer)
        switch clientCertificates {
        case .none: break
        case .optional: SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        case .required:
            SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
    }

    deinit { SSL_CTX_free(pointer) }

    private func use(_ identity: Identity) throws(NetError) {
        let chain = try PEM.certificates(identity.certificateChain)
        guard let leaf = chain.first else {
            throw NetError.tls("no certificate in the certificate file")
        }
        guard SSL_CTX_use_certificate(pointer, leaf.pointer) == 1 else {
            throw NetError.openSSL("certificate")
        }
        for certificate in chain.dropFirst() {
            X509_up_ref(certificate.pointer)
            guard copenssl_add_chain_certificate(pointer, certificate.pointer) == 1 else {
                throw NetError.openSSL("certificate chain")
            }
        }
        let key = try PEM.privateKey(identity.privateKey)
        guard SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1,
            SSL_CTX_check_private_key(pointer) == 1
        else {
            throw NetError.openSSL("private key")
        }
    }

    private func trust(_ authorities: [UInt8]) throws(NetError) {
        let certificates = try PEM.certificates(authorities)
        guard !certificates.isEmpty else {
            throw NetError.tls("no certificate in the authorities' file")
        }
        let store = SSL_CTX_get_cert_store(pointer)
        for certificate in certificates {
            guard X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                throw NetError.openSSL("authority")
            }
            if isServer { _ = copenssl_add_ca_name(pointer, certificate.pointer) }
        }
    }
}

/// The server's choice among the protocols that a client offers: h2, or the handshake fails. A
/// client that offers nothing is not asked to.
private func selectProtocol(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredLength: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    var position = 0
    let total = Int(offeredLength)
    while let offered, position < total {
        let length = Int(offered[position])
        guard position + 1 + length <= total else { break }
        if length == 2, offered[position + 1] == UInt8(ascii: "h"),
            offered[position + 2] == UInt8(ascii: "2")
        {
            chosen?.pointee = offered + position + 1
            chosenLength?.pointee = 2
            return SSL_TLSEXT_ERR_OK
        }
        position += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
