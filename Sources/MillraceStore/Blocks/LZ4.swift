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
    public static func appendBlock(_ raw: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.append(addingCapacity: headerSize + raw.count) { room in
            room.withUnsafeMutableBufferPointer { target, count in
                count += writeBlock(raw, at: UnsafeMutableRawPointer(target.baseAddress! + count))
            }
        }
    }

    /// Writes the raw bytes as one self-describing block, to where there is room for `headerSize`
    /// and all of them; says how many bytes it became.
    public static func writeBlock(
        _ raw: UnsafeRawBufferPointer, at target: UnsafeMutableRawPointer
    ) -> Int {
        let stored = store(raw, at: target + headerSize)
        let header = BlockHeader(
            isCompressed: stored.isCompressed, rawSize: raw.count,
            stored: UnsafeRawBufferPointer(start: target + headerSize, count: stored.size))
        header.write(to: target)
        return headerSize + stored.size
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
        let block = try checkedBlock(bytes, at: position)
        let stored = bytes[block.stored]
        var raw = Array(stored)
        if block.isCompressed {
            let content = stored.withUnsafeBytes { decompress($0, rawSize: block.rawSize) }
            guard let content else {
                throw ByteError(offset: block.stored.lowerBound, reason: "the block is not LZ4")
            }
            raw = content
        }
        position = block.stored.upperBound
        return raw
    }

    /// Fills `target` with the raw bytes of one self-describing block. Throws if a byte of it is
    /// wrong, or if they are not as many as there is room for.
    public static func decompress(
        _ block: [UInt8], into target: UnsafeMutableRawBufferPointer
    ) throws(ByteError) {
        let checked = try checkedBlock(block, at: 0)
        guard checked.stored.upperBound == block.count else {
            throw ByteError(offset: checked.stored.upperBound, reason: "bytes left over")
        }
        guard checked.rawSize == target.count else {
            throw ByteError(
                offset: 1,
                reason: "\(checked.rawSize) bytes where \(target.count) are expected")
        }
        let isFilled = block[checked.stored].withUnsafeBytes { stored in
            guard checked.isCompressed else {
                target.copyMemory(from: stored)
                return true
            }
            return decompress(stored, to: target) == target.count
        }
        guard isFilled else { throw ByteError(offset: headerSize, reason: "the block is not LZ4") }
    }

    /// A block whose checksum is right.
    private struct Block {
        var isCompressed: Bool
        var rawSize: Int
        var stored: Range<Int>
    }

    private static func checkedBlock(_ bytes: [UInt8], at start: Int) throws(ByteError) -> Block {
        guard start >= 0, bytes.count - start >= headerSize else {
            throw ByteError(offset: start, reason: "a block's header is cut off")
        }
        let header: BlockHeader
        do throws(ByteError) {
            header = try BlockHeader(Array(bytes[start..<(start + headerSize)]))
        } catch {
            throw ByteError(offset: start + error.offset, reason: error.reason)
        }
        let storedStart = start + headerSize
        guard header.storedSize <= bytes.count - storedStart else {
            throw ByteError(
                offset: start + 5,
                reason: "a block of \(header.storedSize) bytes has \(bytes.count - storedStart)")
        }
        var actual = header.checksumStart
        actual.update(bytes[storedStart..<(storedStart + header.storedSize)])
        guard actual.value == header.checksum else {
            throw ByteError(offset: start, reason: "the block's checksum does not fit its bytes")
        }
        return Block(
            isCompressed: header.isCompressed, rawSize: header.rawSize,
            stored: storedStart..<(storedStart + header.storedSize))
    }

    // MARK: the bare codec

    /// Appends the compressed form and returns true, or the bytes themselves and false if they do
    /// not shrink.
    static func appendCompressed(
        _ raw: UnsafeRawBufferPointer, to output: inout [UInt8]
    ) -> Bool {
        var isCompressed = false
        output.append(addingCapacity: raw.count) { room in
            room.withUnsafeMutableBufferPointer { target, count in
                guard let base = target.baseAddress else { return }
                let stored = store(raw, at: UnsafeMutableRawPointer(base + count))
                isCompressed = stored.isCompressed
                count += stored.size
            }
        }
        return isCompressed
    }

    /// Writes the compressed form, or the bytes themselves if they do not shrink.
    private static func store(
        _ raw: UnsafeRawBufferPointer, at target: UnsafeMutableRawPointer
    ) -> (isCompressed: Bool, size: Int) {
        // One byte less than raw, or it isn't worth it.
        let size = compress(raw, to: target, limit: raw.count - 1)
        if size > 0 { return (true, size) }
        if let source = raw.baseAddress { target.copyMemory(from: source, byteCount: raw.count) }
        return (false, raw.count)
    }

    /// How many bytes the compressed form is; 0 if it is more than `limit`.
    static func compress(
        _ raw: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, limit: Int
    ) -> Int {
        precondition(raw.count <= maximumBlockSize, "a block of \(raw.count) bytes")
        guard raw.count > 0, limit > 0, let source = raw.baseAddress else { return 0 }
        return Int(
            LZ4_compress_default(
                source.assumingMemoryBound(to: CChar.self),
                target.assumingMemoryBound(to: CChar.self), Int32(raw.count), Int32(limit)))
    }

    /// Exactly `rawSize` bytes, or nil if the bytes do not decompress to that.
    static func decompress(_ stored: UnsafeRawBufferPointer, rawSize: Int) -> [UInt8]? {
        // LZ4 gains at most a factor of 255: a size beyond that is a lie and not worth its memory.
        guard rawSize >= 0, rawSize <= maximumBlockSize, rawSize <= (stored.count + 1) * 255
        else { return nil }
        let raw = [UInt8](unsafeUninitializedCapacity: max(rawSize, 1)) { buffer, filled in
            let target = UnsafeMutableRawBufferPointer(
                start: buffer.baseAddress, count: rawSize)
            filled = max(decompress(stored, to: target), 0)
        }
        return raw.count == rawSize ? raw : nil
    }

    /// How many bytes it is, negative if they are not LZ4 or do not fit.
    private static func decompress(
        _ stored: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let source = stored.baseAddress, let base = target.baseAddress else { return -1 }
        return Int(
            LZ4_decompress_safe(
                source.assumingMemoryBound(to: CChar.self),
                base.assumingMemoryBound(to: CChar.self),
                Int32(stored.count), Int32(target.count)))
    }
}
