import MillraceBase

/// One delta or snapshot, opened and checked, with the blocks of the wanted groups in memory.
///
/// `init` reads and checks everything that will be needed; after it, `visit` only hands out. Holds
/// the blocks as they are stored (compressed).
struct StateFileReader {
    let name: StateFileName
    let path: String
    private var blocks: [(entry: StateFileFormat.Block, stored: ArraySlice<UInt8>)] = []

    /// `isWanted` has one entry per key group. Throws `.corrupt` with file and offset,
    /// `.notFound`, or `.unsupported` for a format that is newer.
    init(
        _ fileSystem: any FileSystem, folder: String, _ name: StateFileName, isWanted: [Bool]
    ) throws(StoreError) {
        self.name = name
        path = StorePath.join(folder, name.text)
        let file = try fileSystem.open(path)
        let size = try file.size()
        guard size >= StateFileFormat.headerSize + StateFileFormat.footerSize else {
            throw StoreError.corrupt(
                path, at: size, "\(size) bytes are less than an empty file has")
        }
        // One read for small files, which nearly all deltas are.
        let whole = size <= 1 << 20 ? try read(file, 0, size) : []
        func fetch(_ offset: Int, _ count: Int) throws(StoreError) -> ArraySlice<UInt8> {
            whole.isEmpty ? try read(file, offset, count)[...] : whole[offset..<(offset + count)]
        }
        let header = try fetch(0, StateFileFormat.headerSize)
        try check(header)
        let entries = try readIndex(size, header, fetch)
        for entry in entries
        where (entry.firstGroup...entry.lastGroup).contains(where: { isWanted[$0] }) {
            let stored = try fetch(entry.offset, entry.storedSize)
            guard CRC32C.checksum(stored) == entry.checksum else {
                throw corrupt(entry.offset, "the block's checksum does not fit its bytes")
            }
            blocks.append((entry, stored))
        }
    }

    /// Calls `body` for each record of the groups in `isWanted`.
    func visit(_ isWanted: [Bool], _ body: StateLoader.Visitor) throws {
        for (entry, stored) in blocks {
            guard entry.storedSize != entry.rawSize else {
                try stored.withUnsafeBytes { try visit(entry, $0, isWanted, body) }
                continue
            }
            let raw = stored.withUnsafeBytes { LZ4.decompress($0, rawSize: entry.rawSize) }
            guard let raw else { throw corrupt(entry.offset, "the block is not LZ4") }
            try raw.withUnsafeBytes { try visit(entry, $0, isWanted, body) }
        }
    }

    private func visit(
        _ entry: StateFileFormat.Block, _ bytes: UnsafeRawBufferPointer, _ isWanted: [Bool],
        _ body: StateLoader.Visitor
    ) throws {
        var position = 0
        func varint() throws(StoreError) -> Int {
            var value = 0
            for shift in stride(from: 0, to: 35, by: 7) {
                guard position < bytes.count else { break }
                let byte = bytes[position]
                position += 1
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw corrupt(entry.offset, "a record at byte \(position) of the block is cut off")
        }
        for _ in 0..<entry.records {
            let group = try varint()
            let keySize = try varint()
            let valueSize = try varint()
            let end = position + keySize + max(valueSize - 1, 0)
            guard end <= bytes.count, (entry.firstGroup...entry.lastGroup).contains(group) else {
                throw corrupt(entry.offset, "a record at byte \(position) of the block is wrong")
            }
            let middle = position + keySize
            if isWanted[group] {
                let key = UnsafeRawBufferPointer(rebasing: bytes[position..<middle])
                let value = UnsafeRawBufferPointer(rebasing: bytes[middle..<end])
                try body(group, key, valueSize == 0 ? nil : value)
            }
            position = end
        }
        guard position == bytes.count else {
            throw corrupt(entry.offset, "\(bytes.count - position) bytes of the block left over")
        }
    }

    private func read(
        _ file: any ReadableFile, _ offset: Int, _ count: Int
    ) throws(StoreError) -> [UInt8] {
        let bytes = try file.read(at: offset, count: count)
        guard bytes.count == count else {
            throw corrupt(offset + bytes.count, "the file ends here")
        }
        return bytes
    }

    private func check(_ header: ArraySlice<UInt8>) throws(StoreError) {
        guard header.prefix(8).elementsEqual(StateFileFormat.magic) else {
            throw corrupt(0, "\"MILLSTAT\" is expected: not a state file")
        }
        let checksum = littleEndian(header, 28, UInt32.self)
        guard CRC32C.checksum(header.prefix(28)) == checksum else {
            throw corrupt(28, "the header's checksum does not fit it")
        }
        let format = littleEndian(header, 8, UInt16.self)
        guard format == StateFileFormat.formatVersion else {
            throw StoreError(
                .unsupported, "read", path,
                "its format is \(format), this program reads \(StateFileFormat.formatVersion)")
        }
        guard header.elementsEqual(StateFileFormat.header(name)) else {
            throw corrupt(10, "the header says other contents than the file's name")
        }
    }

    private func readIndex(
        _ size: Int, _ header: ArraySlice<UInt8>,
        _ fetch: (Int, Int) throws(StoreError) -> ArraySlice<UInt8>
    ) throws(StoreError) -> [StateFileFormat.Block] {
        let footerOffset = size - StateFileFormat.footerSize
        let footer = try fetch(footerOffset, StateFileFormat.footerSize)
        guard footer.suffix(4).elementsEqual(StateFileFormat.endMagic) else {
            throw corrupt(
                footerOffset, "the footer is missing: the file was not written to its end")
        }
        let indexOffset = littleEndian(footer, 0, UInt64.self)
        let blockCount = Int(littleEndian(footer, 8, UInt32.self))
        let indexSize = blockCount * StateFileFormat.indexEntrySize
        guard indexSize <= footerOffset - StateFileFormat.headerSize,
            indexOffset == UInt64(footerOffset - indexSize)
        else { throw corrupt(footerOffset, "the footer does not fit the file's size") }
        let index = try fetch(footerOffset - indexSize, indexSize)
        var root = CRC32C()
        root.update(header)
        root.update(index)
        root.update(footer.prefix(20))
        guard root.value == littleEndian(footer, 20, UInt32.self) else {
            throw corrupt(footerOffset - indexSize, "the checksum of the index does not fit it")
        }
        return try blocks(of: index, end: footerOffset - indexSize)
    }

    /// The index's lines, checked against each other: what a wrong writer could have made of them.
    private func blocks(
        of index: ArraySlice<UInt8>, end: Int
    ) throws(StoreError) -> [StateFileFormat.Block] {
        var entries: [StateFileFormat.Block] = []
        var offset = StateFileFormat.headerSize
        var lastGroup = name.groups.lowerBound
        for start in stride(from: 0, to: index.count, by: StateFileFormat.indexEntrySize) {
            func field(_ number: Int) -> Int {
                Int(littleEndian(index, start + 4 * number, UInt32.self))
            }
            let entry = StateFileFormat.Block(
                firstGroup: field(0), lastGroup: field(1), storedSize: field(2),
                rawSize: field(3), records: field(4), checksum: UInt32(field(5)), offset: offset)
            guard entry.firstGroup >= lastGroup, entry.lastGroup >= entry.firstGroup,
                entry.lastGroup < name.groups.upperBound, entry.storedSize <= entry.rawSize,
                entry.rawSize <= LZ4.maximumBlockSize, entry.records <= entry.rawSize,
                entry.storedSize <= end - offset
            else { throw corrupt(end + start, "a line of the index is wrong") }
            lastGroup = entry.lastGroup
            offset += entry.storedSize
            entries.append(entry)
        }
        guard offset == end else { throw corrupt(end, "the index does not cover all blocks") }
        return entries
    }

    private func corrupt(_ offset: Int, _ reason: String) -> StoreError {
        .corrupt(path, at: offset, reason)
    }
}

/// The integer at `offset` of a slice that is known to reach that far.
func littleEndian<Value: FixedWidthInteger>(
    _ bytes: ArraySlice<UInt8>, _ offset: Int, _: Value.Type
) -> Value {
    bytes.withUnsafeBytes {
        Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
