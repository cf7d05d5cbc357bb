import COpenSSL
import Glibc
import MillraceBase

/// An authority made for one application, and the certificates it signs, by the OpenSSL API: a
/// launcher needs no other program.
public final class CertificateAuthority: Sendable {
    /// The authority's certificate, PEM: what every process of the application trusts.
    public let certificate: [UInt8]
    /// Both are only read after `init`.
    nonisolated(unsafe) private let key: PrivateKey
    nonisolated(unsafe) private let issuer: Certificate

    /// Makes a key (P-256) and a self-signed certificate. Throws `NetError.tls`.
    public init(name: String, validity: Duration = .seconds(365 * 86_400)) throws(NetError) {
        key = try Self.makeKey()
        issuer = try Self.makeCertificate(subject: name, key: key, validity: validity)
        try Self.sign(
            issuer, issuer: issuer, key: key,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
        certificate = try PEM.text(issuer)
    }

    /// A key and a certificate for server and client use. `hosts` are the DNS names and numeric
    /// addresses under which the process is reached; a wildcard `*.name` is taken too. Throws
    /// `NetError.tls`.
    public func mint(
        name: String, hosts: [String], validity: Duration = .seconds(365 * 86_400)
    ) throws(NetError) -> TLSContext.Identity {
        let key = try Self.makeKey()
        let leaf = try Self.makeCertificate(subject: name, key: key, validity: validity)
        var extensions: [(Int32, String)] = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "serverAuth,clientAuth"),
            (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid"),
        ]
        if !hosts.isEmpty {
            extensions.append((NID_subject_alt_name, try Self.alternativeNames(hosts)))
        }
        try Self.sign(leaf, issuer: issuer, key: self.key, extensions: extensions)
        return TLSContext.Identity(
            certificateChain: try PEM.text(leaf), privateKey: try PEM.text(key))
    }

    private static func makeKey() throws(NetError) -> PrivateKey {
        guard let pointer = copenssl_make_p256_key() else { throw NetError.openSSL("making a key") }
        return PrivateKey(owning: pointer)
    }

    /// `IP:127.0.0.1,DNS:node1`. The text is OpenSSL's little language, so a host must not be able
    /// to say anything else in it.
    private static func alternativeNames(_ hosts: [String]) throws(NetError) -> String {
        var names: [String] = []
        for host in hosts {
            let isPlain = host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                    UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "*"):
                    true
                default: false
                }
            }
            guard isPlain, !host.isEmpty else { throw NetError.tls("\(host) is not a host name") }
            var address = in6_addr()
            let isNumeric =
                inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
            names.append((isNumeric ? "IP:" : "DNS:") + host)
        }
        return names.joined(separator: ",")
    }

    private static func makeCertificate(
        subject: String, key: PrivateKey, validity: Duration
    ) throws(NetError) -> Certificate {
        guard let pointer = X509_new() else { throw NetError.openSSL("certificate") }
        let certificate = Certificate(owning: pointer)
        var serial = [UInt8](repeating: 0, count: 16)
        RAND_bytes(&serial, 16)
        serial[0] &= 0x7F
        let number = BN_bin2bn(serial, 16, nil)
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer))
        BN_free(number)
        X509_set_version(pointer, 2)
        // An hour back, for machines whose clocks differ.
        X509_gmtime_adj(X509_getm_notBefore(pointer), -3_600)
        X509_gmtime_adj(X509_getm_notAfter(pointer), Int(validity.components.seconds))
        let name = X509_get_subject_name(pointer)
        let common = Array(subject.utf8)
        guard
            X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, "Millrace", -1, -1, 0) == 1,
            X509_NAME_add_entry_by_txt(
                name, "CN", MBSTRING_UTF8, common, Int32(common.count), -1, 0) == 1,
            X509_set_pubkey(pointer, key.pointer) == 1
        else { throw NetError.openSSL("certificate for \(subject)") }
        return certificate
    }

    private static func sign(
        _ certificate: Certificate, issuer: Certificate, key: PrivateKey,
        extensions: [(Int32, String)]
    ) throws(NetError) {
        X509_set_issuer_name(certificate.pointer, X509_get_subject_name(issuer.pointer))
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer.pointer, certificate.pointer, nil, nil, 0)
        for (kind, value) in extensions {
            guard let made = X509V3_EXT_conf_nid(nil, &context, kind, value) else {
                throw NetError.openSSL("certificate extension \(value)")
            }
            let added = X509_add_ext(certificate.pointer, made, -1)
            X509_EXTENSION_free(made)
            guard added == 1 else { throw NetError.openSSL("certificate extension \(value)") }
        }
        guard X509_sign(certificate.pointer, key.pointer, EVP_sha256()) > 0 else {
            throw NetError.openSSL("signing a certificate")
        }
    }
}
