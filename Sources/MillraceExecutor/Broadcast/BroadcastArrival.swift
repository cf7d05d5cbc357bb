import MillraceBase
import MillraceNet
import MillraceStore
import Synchronization

/// Takes one piece of a broadcast as it arrives: straight to its place among the value's bytes, if
/// it is stored as it is; else beside it, until it is complete and can be unpacked.
final class BroadcastArrival: BlockSink {
    private let value: BroadcastBytes
    private let piece: Int
    private let content: Mutex<Content>
    /// Nobody waits for it any more: the room belongs to another arrival.
    private let isGivenUp = Mutex(false)

    init(_ piece: Int, of value: BroadcastBytes) {
        self.piece = piece
        self.value = value
        content = Mutex(Content(piece, of: value))
    }

    func begin(_ index: Int, length: Int) throws(BlockError) {
        let fresh = Content(piece, of: value)
        content.withLock { $0 = fresh }
    }

    func take(_ arrived: UnsafeRawBufferPointer) throws(BlockError) {
        // Held while bytes are written: who gives up waits for that.
        try isGivenUp.withLock { isGivenUp throws(BlockError) in
            guard !isGivenUp else { throw .cancelled }
            try content.withLock { content throws(BlockError) in try content.take(arrived) }
        }
    }

    /// The piece is in its place and right; it is served to others like this. Throws what is wrong
    /// with it. On the task's thread, when all has arrived.
    func complete() throws(ByteError) -> BlockContent {
        try content.withLock { content throws(ByteError) in try content.complete() }
    }

    func giveUp() { isGivenUp.withLock { $0 = true } }
}

/// What has come of a piece.
private struct Content: Sendable {
    private let piece: Int
    private let value: BroadcastBytes
    private var head: [UInt8] = []
    private var header: LZ4.BlockHeader?
    private var checksum = CRC32C()
    /// Stored bytes so far.
    private var taken = 0
    /// What is compressed, with its header.
    private var packed: [UInt8] = []

    init(_ piece: Int, of value: BroadcastBytes) {
        self.piece = piece
        self.value = value
    }

    mutating func take(_ arrived: UnsafeRawBufferPointer) throws(BlockError) {
        var rest = arrived[...]
        if header == nil {
            let start = rest.prefix(LZ4.headerSize - head.count)
            head.append(contentsOf: start)
            rest = rest.dropFirst(start.count)
            guard head.count == LZ4.headerSize else { return }
            do throws(ByteError) { try begin() } catch {
                throw .corrupt("piece \(piece): \(error)")
            }
        }
        guard let header, !rest.isEmpty else { return }
        guard rest.count <= header.storedSize - taken else {
            throw .corrupt("piece \(piece) is longer than its header says")
        }
        let stored = UnsafeRawBufferPointer(rebasing: rest)
        checksum.update(stored)
        if header.isCompressed {
            packed.append(contentsOf: stored)
        } else {
            UnsafeMutableRawBufferPointer(rebasing: value.room(of: piece)[taken...])
                .copyMemory(from: stored)
        }
        taken += stored.count
    }

    private mutating func begin() throws(ByteError) {
        let header = try LZ4.BlockHeader(head)
        let room = value.room(of: piece).count
        guard header.rawSize == room, header.storedSize <= room else {
            throw ByteError(
                offset: 1, reason: "\(header.rawSize) bytes where \(room) are expected")
        }
        checksum = header.checksumStart
        if header.isCompressed {
            packed.reserveCapacity(LZ4.headerSize + header.storedSize)
            packed += head
        }
        self.header = header
    }

    func complete() throws(ByteError) -> BlockContent {
        guard let header, taken == header.storedSize else {
            throw ByteError(offset: taken, reason: "the piece is cut off")
        }
        guard checksum.value == header.checksum else {
            throw ByteError(offset: 0, reason: "the piece's checksum does not fit its bytes")
        }
        guard header.isCompressed else {
            return .slice(prefix: head, value.array[value.range(of: piece)])
        }
        try LZ4.decompress(packed, into: value.room(of: piece))
        return .slice(prefix: [], packed[...])
    }
}
