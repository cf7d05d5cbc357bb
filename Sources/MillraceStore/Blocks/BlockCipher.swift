import COpenSSL

/// Encrypts what is stored in frames with an application's key: AES-GCM, one frame at a time, so
/// that a frame is opened without its neighbours and nothing unauthenticated is ever decompressed.
///
/// Sealed bytes are a random nonce (12 bytes), the ciphertext, and the tag (16 bytes). Random
/// nonces may serve 2^32 frames of a key; at 64 KiB a frame that is 256 TiB of an application.
public final class BlockCipher: Sendable {
    private let key: [UInt8]
    /// Bytes that sealing adds.
    static let overhead = nonceSize + tagSize
    private static let nonceSize = 12
    private static let tagSize = 16

    /// A key of 16 or 32 bytes.
    public init(key: [UInt8]) {
        precondition(key.count == 16 || key.count == 32, "an AES key of \(key.count) bytes")
        self.key = key
    }

    /// A new key of so many bits.
    public static func makeKey(bits: Int) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: bits / 8)
        precondition(RAND_bytes(&key, Int32(key.count)) == 1, "the system has no random numbers")
        return key
    }

    // EVP_aes_128_gcm and its like return constants.
    private var algorithm: OpaquePointer? {
        key.count == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm()
    }

    /// Encrypts the first `count` bytes of `room`, which has room for `overhead` more. `header` is
    /// authenticated with them. Returns the size of what is there then.
    func seal(
        _ room: UnsafeMutableRawBufferPointer, count: Int, header: UnsafeRawBufferPointer
    ) -> Int {
        let nonce = UnsafeMutableRawBufferPointer(rebasing: room[..<Self.nonceSize])
        let start = room.baseAddress!.assumingMemoryBound(to: UInt8.self) + Self.nonceSize
        // OpenSSL encrypts in place; the bytes make way for the nonce first.
        UnsafeMutableRawPointer(start).copyMemory(from: room.baseAddress!, byteCount: count)
        precondition(
            RAND_bytes(nonce.baseAddress!.assumingMemoryBound(to: UInt8.self), 12) == 1,
            "the system has no random numbers")
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        var size: Int32 = 0
        var isDone = EVP_EncryptInit_ex(context, algorithm, nil, key, bytes(nonce)) == 1
        isDone =
            isDone
            && EVP_EncryptUpdate(context, nil, &size, bytes(header), Int32(header.count)) == 1
            && EVP_EncryptUpdate(context, start, &size, start, Int32(count)) == 1
            && EVP_EncryptFinal_ex(context, start + count, &size) == 1
            && EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagSize), start + count) == 1
        precondition(isDone, "AES-GCM refused to encrypt")
        return count + Self.overhead
    }

    /// What was sealed; nil when a byte of it or of `header` is another one, or the key is.
    func open(_ sealed: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer) -> [UInt8]? {
        let count = sealed.count - Self.overhead
        guard count >= 0 else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: sealed[Self.nonceSize...].prefix(count))
        var tag = Array(sealed.suffix(Self.tagSize))
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        var size: Int32 = 0
        guard EVP_DecryptInit_ex(context, algorithm, nil, key, bytes(sealed)) == 1,
            EVP_DecryptUpdate(context, nil, &size, bytes(header), Int32(header.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(tag.count), &tag) == 1
        else { return nil }
        var isWhole = true
        let raw = [UInt8](unsafeUninitializedCapacity: max(count, 1)) { room, filled in
            isWhole =
                EVP_DecryptUpdate(
                    context, room.baseAddress, &size, bytes(content), Int32(count)) == 1
                && EVP_DecryptFinal_ex(context, room.baseAddress! + count, &size) == 1
            filled = isWhole ? count : 0
        }
        return isWhole ? raw : nil
    }

    private func bytes(_ raw: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
    private func bytes(_ raw: UnsafeMutableRawBufferPointer) -> UnsafePointer<UInt8>? {
        bytes(UnsafeRawBufferPointer(raw))
    }
}
