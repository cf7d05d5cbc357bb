/// Which certificate, key and authorities a side of TLS uses: made once, shared by its connections.
///
/// TLS 1.2 at least, ALPN `h2` offered and accepted. Sendable: OpenSSL's SSL_CTX is not changed
/// after it is made, and counts its references atomically.
public final class TLSContext: @unchecked Sendable {
    /// A certificate chain and its key, PEM text.
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

    /// For listeners. `authorities` (PEM) sign the clients' certificates. Throws `NetError.tls`.
    public static func server(
        identity: Identity, authorities: [UInt8]? = nil, clientCertificates: ClientCertificates = .none
    ) throws(NetError) -> TLSContext {
        preconditionFailure("to be written")
    }

    /// For dialling. `authorities` (PEM) sign the server's certificate; nil: the system's. The server's
    /// name or address is verified against its certificate, `serverName` if given instead of the host
    /// that was dialled. Throws `NetError.tls`.
    public static func client(
        authorities: [UInt8]? = nil, identity: Identity? = nil, serverName: String? = nil
    ) throws(NetError) -> TLSContext {
        preconditionFailure("to be written")
    }

    init(requiresClientCertificate: Bool) { self.requiresClientCertificate = requiresClientCertificate }
}

/// An authority made for one application, and the certificates it signs, by the OpenSSL API: a
/// launcher needs no other program.
public final class CertificateAuthority: @unchecked Sendable {
    /// The authority's certificate, PEM: what every process of the application trusts.
    public let certificate: [UInt8]

    /// Makes a key (P-256) and a self-signed certificate. Throws `NetError.tls`.
    public init(name: String, validity: Duration = .seconds(365 * 86_400)) throws(NetError) {
        certificate = []
        preconditionFailure("to be written")
    }

    /// A key and a certificate for server and client use. `hosts` are the DNS names and numeric
    /// addresses under which the process is reached. Throws `NetError.tls`.
    public func mint(
        name: String, hosts: [String], validity: Duration = .seconds(365 * 86_400)
    ) throws(NetError) -> TLSContext.Identity {
        preconditionFailure("to be written")
    }
}
