import CLZ4
import MillraceBase

/// LZ4 block compression with checks.
///
/// `compress` makes a self-describing block, little-endian:
///
///     method u8 (0 as it is, 1 LZ4) · raw size u32 · stored size u32 · CRC-32C u32 · stored bytes
///
/// The checksum covers the header before it and the stored bytes; what does not shrink is stored
/// as it is. The bare codec below it is for formats that keep sizes and checksums elsewhere.
public enum LZ4 {
    /// More than this in one block is a mistake of the caller (LZ4's own limit is just below 2
    /// GiB).
    public static let maximumBlockSize = 1 << 30
    /// Bytes before the stored bytes of a block.
    public static let headerSize = 13

    /// The raw bytes as one self-describing block.
    public static func compress(_ raw: [UInt8]) -> [UInt8] {
        raw.withUnsafeBytes { raw in
            var block: [UInt8] = []
            block.reserveCapacity(headerSize + raw.count / 2)
            appendBlock(raw, to: &block)
            return block
        }
    }

    /// Appends the raw bytes as one self-describing block.
    public static func appendBlock(_ raw: UnsafeRawBufferPointer, to block: inout [UInt8]) {
        let start = block.count
        block.append(contentsOf: repeatElement(0, count: headerSize))
        let isCompressed = appendCompressed(raw, to: &block)
        let storedSize = block.count - start - headerSize
        block.withUnsafeMutableBytes { bytes in
            let header = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            header[0] = isCompressed ? 1 : 0
            header.storeBytes(
                of: UInt32(raw.count).littleEndian, toByteOffset: 1, as: UInt32.self)
            header.storeBytes(
                of: UInt32(storedSize).littleEndian, toByteOffset: 5, as: UInt32.self)
            var checksum = CRC32C()
            checksum.update(UnsafeRawBufferPointer(rebasing: header[..<9]))
            checksum.update(UnsafeRawBufferPointer(rebasing: header[headerSize...]))
            header.storeBytes(of: checksum.value.littleEndian, toByteOffset: 9, as: UInt32.self)
        }
    }

    /// The raw bytes of one self-describing block. Throws if a byte of it is wrong.
    public static func decompress(_ block: [UInt8]) throws(ByteError) -> [UInt8] {
        var position = 0
        let raw = try readBlock(block, at: &position)
        guard position == block.count else {
            throw ByteError(offset: position, reason: "\(block.count - position) bytes left over")
        }
        return raw
    }

    /// Bytes of the whole block that begins with these; nil when its header is cut off.
    public static func blockSize(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= headerSize else { return nil }
        let stored = bytes.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 5, as: UInt32.self))
        }
        return headerSize + Int(stored)
    }

    /// Reads the block at `position` of `bytes` and moves `position` behind it.
    public static func readBlock(
        _ bytes: [UInt8], at position: inout Int
    ) throws(ByteError) -> [UInt8] {
        let start = position
        guard start >= 0, bytes.count - start >= headerSize else {
            throw ByteError(offset: start, reason: "a block's header is cut off")
        }
        let (method, rawSize, storedSize, checksum) = bytes.withUnsafeBytes { bytes in
            func word(_ offset: Int) -> Int {
                let word = bytes.loadUnaligned(fromByteOffset: start + offset, as: UInt32.self)
                return Int(UInt32(littleEndian: word))
            }
            return (bytes[start], word(1), word(5), word(9))
        }
        let storedStart = start + headerSize
        guard storedSize <= bytes.count - storedStart else {
            throw ByteError(
                offset: start + 5,
                reason: "a block of \(storedSize) bytes has \(bytes.count - storedStart)")
        }
        var actual = CRC32C()
        actual.update(bytes[start..<(start + 9)])
        actual.update(bytes[storedStart..<(storedStart + storedSize)])
        guard Int(actual.value) == checksum else {
            throw ByteError(offset: start, reason: "the block's checksum does not fit its bytes")
        }
        position = storedStart + storedSize
        let stored = bytes[storedStart..<position]
        switch method {
        case 0 where rawSize == storedSize: return Array(stored)
        case 1:
            let raw = stored.withUnsafeBytes { decompress($0, rawSize: rawSize) }
            guard let raw else {
                throw ByteError(offset: storedStart, reason: "the block is not LZ4")
            }
            return raw
        default: throw ByteError(offset: start, reason: "\(method) is no method of a block")
        }
    }

    // MARK: the bare codec

    /// Appends the compressed form and returns true, or the bytes themselves and false if they do
    /// not shrink.
    static func appendCompressed(
        _ raw: UnsafeRawBufferPointer, to output: inout [UInt8]
    ) -> Bool {
        precondition(raw.count <= maximumBlockSize, "a block of \(raw.count) bytes")
        guard raw.count > 0, let source = raw.baseAddress else { return false }
        let capacity = raw.count - 1  // less than raw, or it isn't worth it
        let compressed = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            let room = buffer.withMemoryRebound(to: CChar.self) { target in
                source.withMemoryRebound(to: CChar.self, capacity: raw.count) {
                    LZ4_compress_default(
                        $0, target.baseAddress, Int32(raw.count), Int32(capacity))
                }
            }
            filled = capacity > 0 ? Int(max(room, 0)) : 0
        }
        if compressed.isEmpty {
            output.append(contentsOf: raw)
            return false
        }
        output.append(contentsOf: compressed)
        return true
    }

    /// Exactly `rawSize` bytes, or nil if the bytes do not decompress to that.
    static func decompress(_ stored: UnsafeRawBufferPointer, rawSize: Int) -> [UInt8]? {
        // LZ4 gains at most a factor of 255: a size beyond that is a lie and not worth its memory.
        guard rawSize >= 0, rawSize <= maximumBlockSize, rawSize <= (stored.count + 1) * 255,
            let source = stored.baseAddress
        else { return nil }
        let raw = [UInt8](unsafeUninitializedCapacity: max(rawSize, 1)) { buffer, filled in
            let count = buffer.withMemoryRebound(to: CChar.self) { target in
                source.withMemoryRebound(to: CChar.self, capacity: stored.count) {
                    LZ4_decompress_safe(
                        $0, target.baseAddress, Int32(stored.count), Int32(rawSize))
                }
            }
            filled = Int(max(count, 0))
        }
        return raw.count == rawSize ? raw : nil
    }
}
