import MillraceBase

/// The bytes of a delta or snapshot, all integers little-endian:
///
///     header  "MILLSTAT" · format u16 · kind u8 · 0 u8 · first group u32 · last group u32
///             · version u64 · CRC-32C of the header so far u32
///     blocks  records in the order of their groups, cut at about 64 KiB; each LZ4, or as it is
///     index   per block: first group u32 · last group u32 · stored size u32 · raw size u32
///             · records u32 · CRC-32C of the stored bytes u32
///     footer  index offset u64 · blocks u32 · records u64 · CRC-32C of header, index and footer so
///             far u32 · "MEND"
///
/// A record: group varint · key size varint · value size + 1 varint (0: removed) · key · value.
/// The footer's checksum covers the blocks through their checksums in the index, so every byte of
/// the file is covered, and a range of groups can be read without the rest. A torn file has no
/// footer.
enum StateFileFormat {
    static let magic = Array("MILLSTAT".utf8)
    static let endMagic = Array("MEND".utf8)
    static let formatVersion: UInt16 = 1
    static let headerSize = 32
    static let indexEntrySize = 24
    static let footerSize = 28
    /// A block is closed when it has grown to this; a larger record is a block of its own.
    static let blockSize = 64 << 10

    static func header(_ name: StateFileName) -> [UInt8] {
        var header = ByteWriter(capacity: headerSize)
        header.writeRaw(magic)
        header.writeFixed(formatVersion)
        header.writeByte(name.kind.rawValue)
        header.writeByte(0)
        header.writeFixed(UInt32(name.groups.lowerBound))
        header.writeFixed(UInt32(name.groups.upperBound - 1))
        header.writeFixed(UInt64(name.version))
        header.writeFixed(CRC32C.checksum(header.bytes))
        return header.bytes
    }

    /// One line of the index.
    struct Block: Hashable, Sendable {
        var firstGroup: Int
        var lastGroup: Int
        var storedSize: Int
        var rawSize: Int
        var records: Int
        var checksum: UInt32
        /// In the file; not stored, for blocks lie one behind the other.
        var offset = 0

        func write(into index: inout ByteWriter) {
            for field in [firstGroup, lastGroup, storedSize, rawSize, records] {
                index.writeFixed(UInt32(field))
            }
            index.writeFixed(checksum)
        }
    }
}

extension DeltaWriter {
    var name: StateFileName { StateFileName(kind, version: version, groups: groups) }

    /// The whole file. Throws if a record is too large for the format.
    func encode(path: String) throws(StoreError) -> [UInt8] {
        var file = StateFileFormat.header(name)
        let header = file
        var index = ByteWriter()
        var block = ByteWriter(capacity: StateFileFormat.blockSize)
        var pending = StateFileFormat.Block(
            firstGroup: 0, lastGroup: 0, storedSize: 0, rawSize: 0, records: 0, checksum: 0)
        var blocks: UInt32 = 0
        func close() {
            guard pending.records > 0 else { return }
            let start = file.count
            block.bytes.withUnsafeBytes { _ = LZ4.appendCompressed($0, to: &file) }
            pending.storedSize = file.count - start
            pending.rawSize = block.count
            pending.checksum = CRC32C.checksum(file[start...])
            pending.write(into: &index)
            blocks += 1
            pending.records = 0
            block.bytes.removeAll(keepingCapacity: true)
        }
        for position in recordsByGroup() {
            let record = records[position]
            let size = max(record.end, record.middle) - record.start
            guard size < LZ4.maximumBlockSize - 64 else {
                throw StoreError(
                    .unsupported, "write", path,
                    "a key with its value is \(size) bytes; less than 1 GiB is possible")
            }
            if block.count + size > StateFileFormat.blockSize { close() }
            if pending.records == 0 { pending.firstGroup = record.group }
            pending.lastGroup = record.group
            pending.records += 1
            write(record, into: &block)
        }
        close()
        var footer = ByteWriter(capacity: StateFileFormat.footerSize)
        footer.writeFixed(UInt64(file.count))
        footer.writeFixed(blocks)
        footer.writeFixed(UInt64(records.count))
        var root = CRC32C()
        root.update(header)
        root.update(index.bytes)
        root.update(footer.bytes)
        footer.writeFixed(root.value)
        footer.writeRaw(StateFileFormat.endMagic)
        file.append(contentsOf: index.bytes)
        file.append(contentsOf: footer.bytes)
        return file
    }

    /// Positions of the records, by group, those of one group in the order in which they came.
    private func recordsByGroup() -> [Int] {
        var starts = [Int](repeating: 0, count: groups.count + 1)
        for record in records { starts[record.group - groups.lowerBound + 1] += 1 }
        for group in 1..<starts.count { starts[group] += starts[group - 1] }
        var sorted = [Int](repeating: 0, count: records.count)
        for (position, record) in records.enumerated() {
            let group = record.group - groups.lowerBound
            sorted[starts[group]] = position
            starts[group] += 1
        }
        return sorted
    }

    private func write(_ record: Record, into block: inout ByteWriter) {
        let isRemoval = record.end < 0
        block.writeCount(record.group)
        block.writeCount(record.middle - record.start)
        block.writeCount(isRemoval ? 0 : record.end - record.middle + 1)
        block.writeRaw(payload.bytes[record.start..<max(record.end, record.middle)])
    }
}
