import Glibc
import MillraceBase

extension TLSContext {
    /// The context of this process's listeners, as the settings say; nil without TLS. Clients need
    /// a certificate of the same authority. Throws `MillraceError` naming the setting or file that
    /// is wrong.
    public static func server(_ conf: Conf) throws -> TLSContext? {
        guard let files = try Files(conf) else { return nil }
        return try server(
            identity: files.identity, authorities: files.authorities, clientCertificates: .required)
    }

    /// The context with which this process dials others, as the settings say; nil without TLS.
    public static func client(_ conf: Conf) throws -> TLSContext? {
        guard let files = try Files(conf) else { return nil }
        return try client(authorities: files.authorities, identity: files.identity)
    }

    private struct Files {
        var identity: Identity
        var authorities: [UInt8]

        init?(_ conf: Conf) throws {
            guard conf.security.isTLSEnabled else { return nil }
            func read(_ path: String?, _ key: String) throws -> [UInt8] {
                guard let path else {
                    throw MillraceError(.invalidArgument, "millrace.ssl.enabled needs \(key)")
                }
                return try Self.contents(path, key)
            }
            identity = Identity(
                certificateChain: try read(
                    conf.security.certificateFile, "millrace.ssl.certificateFile"),
                privateKey: try read(conf.security.privateKeyFile, "millrace.ssl.privateKeyFile"))
            authorities = try read(conf.security.authorityFile, "millrace.ssl.authorityFile")
        }

        /// PEM files are small; one that is not is another file.
        private static let largestFile = 1 << 20

        private static func contents(_ path: String, _ key: String) throws -> [UInt8] {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else {
                let reason = String(cString: strerror(errno))
                throw MillraceError(.invalidArgument, "\(key)=\(path): \(reason)")
            }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: largestFile + 1)
            var count = 0
            while count <= largestFile {
                let got = bytes.withUnsafeMutableBytes {
                    Glibc.read(file, $0.baseAddress! + count, $0.count - count)
                }
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { break }
                count += got
            }
            guard count > 0, count <= largestFile else {
                throw MillraceError(
                    .invalidArgument, "\(key)=\(path): not a PEM file (\(count) bytes)")
            }
            return Array(bytes[..<count])
        }
    }
}
