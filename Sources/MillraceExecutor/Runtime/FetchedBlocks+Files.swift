import MillraceBase
import MillraceCore
import MillraceStore

/// Blocks that need no network: this executor's own, and those in files of this host.
extension FetchedBlocks {
    /// A block, or how to read it a piece at a time.
    enum Content {
        case bytes([UInt8])
        case pieces(BlockPieces)
    }

    /// Of this executor. Throws `FetchFailure`, and `MemoryExhausted`.
    func own(_ status: MapStatus) throws -> Content {
        do {
            let block = try runtime.mapOutputStore.block(
                shuffle: outputs.shuffle, task: status.mapTask, reduce: reduce)
            switch block {
            case nil: throw failure(status, "this executor has no output of \(status.mapTask)")
            case .memory(let bytes): return .bytes(bytes)
            case .file(let file, let partition):
                let segment = file.segments[partition]
                try reserveForPiece()
                if segment.length <= runtime.pieceSize {
                    return .bytes(try file.read(partition))
                }
                return pieces(of: segment, try file.openData(partition))
            }
        } catch let error as StoreError { throw damage(status, error) }
    }

    /// Whether it is in a file of another executor on this host.
    func isNearby(_ status: MapStatus) -> Bool { segment(status) != nil }

    private func segment(_ status: MapStatus) -> ShuffleDataFile.Segment? {
        runtime.fetcher.folder(of: status.executor).flatMap {
            ShuffleFiles.segment(
                in: $0, of: PosixFileSystem(), outputs.shuffle, status.mapTask, reduce)
        }
    }

    /// In a file of another executor on this host; nil when it is to be fetched.
    func nearby(_ status: MapStatus) throws -> Content? {
        guard let segment = segment(status),
            let file = try? PosixFileSystem().open(segment.path)
        else { return nil }
        try reserveForPiece()
        return pieces(of: segment, file)
    }

    private func pieces(of segment: ShuffleDataFile.Segment, _ file: any ReadableFile) -> Content {
        .pieces(
            BlockPieces(of: runtime.pieceSize) { offset, count, bytes in
                let wanted = min(count, segment.length - offset)
                let start = segment.offset + offset
                try file.read(at: start, count: wanted, reusing: &bytes)
                guard bytes.count == wanted else {
                    throw StoreError.corrupt(
                        segment.path, at: start + bytes.count, "the file ends here")
                }
            })
    }

    /// Of another executor, and too large to be held whole.
    func distant(_ status: MapStatus) throws -> Content {
        if status.sizes[reduce] > runtime.maxBlockInMemory { return try copied(status) }
        // Small enough, but there is no memory: a part at a time, as it is read.
        try reserveForPiece()
        return .pieces(
            BlockPieces(of: runtime.pieceSize) { [unowned self] offset, count, bytes in
                let fetch = part(offset..<(offset + count), of: status)
                bytes = try arrived(fetch, of: status)
            })
    }

    func part(_ range: Range<Int>, of status: MapStatus) -> any BlockFetch {
        runtime.fetcher.start(part: range, of: "\(block(of: status))", from: status.executor)
    }

    func arrived(_ fetch: any BlockFetch, of status: MapStatus) throws -> [UInt8] {
        do { return try wait(for: fetch)[0] } catch let error as BlockFetchError {
            throw failure(status, error.message)
        }
    }
}
