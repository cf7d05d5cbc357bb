import CLZ4
import CZstd
import MillraceBase

/// Bytes packed so that they say of themselves how, and whether they are what was written; a
/// shuffle block is one frame after the other, so frames of several files are joined as they are.
///
/// Little-endian:
///
///     method u8 · raw size u32 · stored size u32 · CRC-32C u32 · bytes
///
/// A method is 0 (as it is), 1 (LZ4) or 2 (zstd), and 128 more for encrypted bytes.
///
/// The checksum covers the header before it and the stored bytes. What does not shrink is stored
/// as it is. Encryption (`BlockCipher`) comes after compression, so that a checksum tells damage
/// without the key.
public enum BlockFrame {
    /// Bytes before the stored bytes.
    public static let headerSize = 13
    /// More than this in one frame is a mistake of the caller.
    public static let maximumSize = 1 << 30
    /// Fewer bytes than this are not worth a compressor.
    static let smallest = 256
    /// Spark's `spark.io.compression.zstd.level`.
    private static let zstdLevel: Int32 = 1

    private enum Method: UInt8 {
        case stored = 0
        case lz4 = 1
        case zstd = 2
    }

    private static let encrypted: UInt8 = 0x80

    /// One frame. nil as `codec`: not compressed; as `cipher`: not encrypted.
    public static func pack(
        _ raw: UnsafeRawBufferPointer, _ codec: CompressionCodec?, _ cipher: BlockCipher? = nil
    ) -> [UInt8] {
        precondition(raw.count <= maximumSize, "a frame of \(raw.count) bytes")
        let extra = cipher == nil ? 0 : BlockCipher.overhead
        return [UInt8](
            unsafeUninitializedCapacity: headerSize + raw.count + extra
        ) { buffer, count in
            let frame = UnsafeMutableRawBufferPointer(buffer)
            let room = UnsafeMutableRawBufferPointer(rebasing: frame[headerSize...])
            var method = Method.stored
            var stored = raw.count
            if let codec, raw.count >= smallest, let size = compress(raw, codec, into: room) {
                method = codec == .lz4 ? .lz4 : .zstd
                stored = size
            } else {
                room.copyMemory(from: raw)
            }
            frame[0] = method.rawValue | (cipher == nil ? 0 : encrypted)
            let size = stored + extra
            frame.storeBytes(of: UInt32(raw.count).littleEndian, toByteOffset: 1, as: UInt32.self)
            frame.storeBytes(of: UInt32(size).littleEndian, toByteOffset: 5, as: UInt32.self)
            if let cipher {
                stored = cipher.seal(
                    room, count: stored, header: UnsafeRawBufferPointer(rebasing: frame[..<9]))
            }
            let checksum = checksum(UnsafeRawBufferPointer(frame), stored)
            frame.storeBytes(of: checksum.littleEndian, toByteOffset: 9, as: UInt32.self)
            count = headerSize + stored
        }
    }

    public static func pack(
        _ raw: [UInt8], _ codec: CompressionCodec?, _ cipher: BlockCipher? = nil
    ) -> [UInt8] {
        raw.withUnsafeBytes { pack($0, codec, cipher) }
    }

    /// The raw bytes of the frame at `position`, which moves behind it. Throws if a byte of it is
    /// wrong, at that byte or at the frame's first. With a `cipher` every frame must be encrypted.
    public static func unpack(
        _ bytes: [UInt8], at position: inout Int, _ cipher: BlockCipher? = nil
    ) throws(ByteError) -> [UInt8] {
        let start = position
        guard start >= 0, bytes.count - start >= headerSize else {
            throw ByteError(offset: start, reason: "a frame's header is cut off")
        }
        func word(_ offset: Int) -> Int {
            bytes.withUnsafeBytes {
                Int(
                    UInt32(
                        littleEndian: $0.loadUnaligned(
                            fromByteOffset: start + offset, as: UInt32.self)))
            }
        }
        let (rawSize, stored, checksum) = (word(1), word(5), word(9))
        guard stored <= bytes.count - start - headerSize else {
            throw ByteError(
                offset: start + 5,
                reason: "a frame of \(stored) bytes has \(bytes.count - start - headerSize)")
        }
        let raw: [UInt8]?? = bytes.withUnsafeBytes { bytes in
            let frame = UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard Int(Self.checksum(frame, stored)) == checksum else { return nil }
            let content = UnsafeRawBufferPointer(
                rebasing: frame[headerSize..<(headerSize + stored)])
            return .some(open(frame, content, rawSize: rawSize, cipher))
        }
        guard let raw else {
            throw ByteError(offset: start, reason: "the frame's checksum does not fit its bytes")
        }
        guard let raw else {
            throw ByteError(
                offset: start,
                reason: cipher == nil
                    ? "the frame is not what its header says"
                    : "the frame is not what its header says, or not encrypted with this key")
        }
        position = start + headerSize + stored
        return raw
    }

    private static func open(
        _ frame: UnsafeRawBufferPointer, _ content: UnsafeRawBufferPointer, rawSize: Int,
        _ cipher: BlockCipher?
    ) -> [UInt8]? {
        guard (frame[0] & encrypted != 0) == (cipher != nil) else { return nil }
        let method = Method(rawValue: frame[0] & ~encrypted)
        guard let cipher else { return decompress(content, method, rawSize: rawSize) }
        return cipher.open(content, header: UnsafeRawBufferPointer(rebasing: frame[..<9]))?
            .withUnsafeBytes { decompress($0, method, rawSize: rawSize) }
    }

    private static func checksum(_ frame: UnsafeRawBufferPointer, _ stored: Int) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(UnsafeRawBufferPointer(rebasing: frame[..<9]))
        checksum.update(
            UnsafeRawBufferPointer(rebasing: frame[headerSize..<(headerSize + stored)]))
        return checksum.value
    }

    /// The compressed size; nil when it would not be less than the raw one.
    private static func compress(
        _ raw: UnsafeRawBufferPointer, _ codec: CompressionCodec,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        switch codec {
        case .lz4:
            let size = LZ4_compress_default(
                raw.baseAddress?.assumingMemoryBound(to: CChar.self),
                room.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count),
                Int32(raw.count - 1))
            return size > 0 ? Int(size) : nil
        case .zstd:
            let size = ZSTD_compress(
                room.baseAddress, raw.count - 1, raw.baseAddress, raw.count, zstdLevel)
            return ZSTD_isError(size) == 0 ? size : nil
        }
    }

    /// nil when the content is not `rawSize` bytes packed by that method.
    private static func decompress(
        _ content: UnsafeRawBufferPointer, _ method: Method?, rawSize: Int
    ) -> [UInt8]? {
        switch method {
        case .stored: return content.count == rawSize ? Array(content) : nil
        case .lz4: return LZ4.decompress(content, rawSize: rawSize)
        case .zstd:
            // The size is from a header whose checksum held, and bounded all the same.
            guard rawSize <= maximumSize,
                ZSTD_getFrameContentSize(content.baseAddress, content.count) == UInt64(rawSize)
            else { return nil }
            let raw = [UInt8](unsafeUninitializedCapacity: rawSize) { buffer, count in
                let size = ZSTD_decompress(
                    buffer.baseAddress, rawSize, content.baseAddress, content.count)
                count = ZSTD_isError(size) == 0 ? size : 0
            }
            return raw.count == rawSize ? raw : nil
        case nil: return nil
        }
    }
}
