import COpenSSL

/// PEM text to OpenSSL's objects and back.
enum PEM {
    /// All certificates in the text, in order; other things in it are skipped.
    static func certificates(_ text: [UInt8]) throws(NetError) -> [Certificate] {
        let bio = try MemoryBIO(text)
        var certificates: [Certificate] = []
        while let pointer = PEM_read_bio_X509(bio.pointer, nil, nil, nil) {
            certificates.append(Certificate(owning: pointer))
        }
        // The end of the text is an error to OpenSSL ("no start line").
        ERR_clear_error()
        return certificates
    }

    static func privateKey(_ text: [UInt8]) throws(NetError) -> PrivateKey {
        let bio = try MemoryBIO(text)
        guard let pointer = PEM_read_bio_PrivateKey(bio.pointer, nil, nil, nil) else {
            throw NetError.openSSL("private key")
        }
        return PrivateKey(owning: pointer)
    }

    static func text(_ certificate: Certificate) throws(NetError) -> [UInt8] {
        let bio = try MemoryBIO([])
        guard PEM_write_bio_X509(bio.pointer, certificate.pointer) == 1 else {
            throw NetError.openSSL("certificate")
        }
        return bio.contents
    }

    static func text(_ key: PrivateKey) throws(NetError) -> [UInt8] {
        let bio = try MemoryBIO([])
        guard PEM_write_bio_PrivateKey(bio.pointer, key.pointer, nil, nil, 0, nil, nil) == 1 else {
            throw NetError.openSSL("private key")
        }
        return bio.contents
    }
}

/// Owns an X509.
final class Certificate {
    let pointer: OpaquePointer
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { X509_free(pointer) }

    /// The subject on one line (RFC 2253), as `CN=executor 1,O=Millrace`.
    var subject: String {
        guard let bio = try? MemoryBIO([]) else { return "?" }
        X509_NAME_print_ex(bio.pointer, X509_get_subject_name(pointer), 0, copenssl_rfc2253())
        return String(decoding: bio.contents, as: UTF8.self)
    }
}

/// Owns an EVP_PKEY.
final class PrivateKey {
    let pointer: OpaquePointer
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { EVP_PKEY_free(pointer) }
}

/// Owns a BIO over memory.
final class MemoryBIO {
    let pointer: OpaquePointer

    init(_ contents: [UInt8]) throws(NetError) {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw NetError.openSSL("memory") }
        self.pointer = pointer
        if !contents.isEmpty { BIO_write(pointer, contents, Int32(contents.count)) }
    }

    deinit { BIO_free(pointer) }

    var contents: [UInt8] {
        var start: UnsafePointer<CChar>?
        let count = copenssl_read_memory(pointer, &start)
        return Array(UnsafeRawBufferPointer(start: start, count: max(0, count)))
    }
}
