import MillraceBase
import MillraceStore

/// The pieces of one map task's output by reduce partition, in memory and in spills. Pieces are
/// whole frames, so those of several spills are one block without being opened.
final class CollectedOutput {
    private var pieces: [[[UInt8]]]
    /// All spills, one after the other.
    private var file: SpillFile?
    /// Where each partition begins in each of them, and where the last ends.
    private var spills: [[Int]] = []
    private(set) var sizes: [UInt64]
    /// Bytes of the pieces in memory.
    private(set) var held = 0
    private static let copySize = 1 << 20

    init(reducers: Int) {
        pieces = Array(repeating: [], count: reducers)
        sizes = Array(repeating: 0, count: reducers)
    }

    var reducers: Int { pieces.count }
    var hasSpilled: Bool { !spills.isEmpty }
    var bytes: Int { sizes.reduce(0) { $0 + Int($1) } }

    func append(_ piece: [UInt8], reduce: Int) {
        pieces[reduce].append(piece)
        sizes[reduce] += UInt64(piece.count)
        held += piece.count
    }

    /// Writes what is in memory to the file, partition by partition.
    func spill(to folder: SpillFolder, _ name: String) throws {
        guard held > 0 else { return }
        let file = try file ?? folder.create(name)
        self.file = file
        var offsets = [file.size]
        for reduce in pieces.indices {
            for piece in pieces[reduce] { try file.append(piece) }
            offsets.append(file.size)
        }
        for reduce in pieces.indices { pieces[reduce] = [] }
        spills.append(offsets)
        held = 0
    }

    func forEachPiece(
        of reduce: Int, _ body: ([UInt8]) throws(StoreError) -> Void
    ) throws(StoreError) {
        if let file, !spills.isEmpty {
            try file.finish()
            for offsets in spills {
                var start = offsets[reduce]
                while start < offsets[reduce + 1] {
                    let count = min(Self.copySize, offsets[reduce + 1] - start)
                    try body(try file.read(at: start, count: count))
                    start += count
                }
            }
        }
        for piece in pieces[reduce] { try body(piece) }
    }

    /// The blocks of an output that has not spilled.
    func joined() -> [[UInt8]] {
        pieces.map { pieces in pieces.count == 1 ? pieces[0] : Array(pieces.joined()) }
    }
}
