import MillraceBase

/// Takes the bytes of a fetch's blocks as they arrive, instead of an array for each: into memory
/// that is there already, or into a file. Called on the loop.
///
/// What it was given may be believed when the fetch's `onBlock` has told of success, with no bytes.
public protocol BlockSink: AnyObject, Sendable {
    /// A block begins; if a connection was lost before its end, once more from its start. Throws
    /// why it cannot be taken: the block's error.
    func begin(_ index: Int, length: Int) throws(BlockError)
    /// The next bytes of the block that has begun. Throws why they cannot be taken.
    func take(_ bytes: UnsafeRawBufferPointer) throws(BlockError)
}

/// The block that is arriving on a connection.
struct ArrivingBlock {
    /// nil for a block that nobody waits for any more.
    var fetch: BlockFetch?
    let index: Int
    private let length: Int
    private var received = 0
    /// Stays empty when the fetch has a sink.
    private(set) var bytes: [UInt8] = []

    init(_ fetch: BlockFetch?, _ index: Int, length: Int) {
        self.fetch = fetch
        self.index = index
        self.length = length
    }

    var isComplete: Bool { received == length }

    mutating func begin() throws(BlockError) {
        guard let fetch else { return }
        if let sink = fetch.sink { return try sink.begin(index, length: length) }
        // Not more than 8 MiB on a mere claim; beyond that it grows as bytes arrive.
        bytes.reserveCapacity(min(length, 8 << 20))
    }

    /// False when it would be more than its head said.
    mutating func take(_ piece: Slice<UnsafeRawBufferPointer>) throws(BlockError) -> Bool {
        received += piece.count
        guard received <= length else { return false }
        guard let fetch else { return true }
        if let sink = fetch.sink {
            try sink.take(UnsafeRawBufferPointer(rebasing: piece))
        } else {
            bytes.append(contentsOf: piece)
        }
        return true
    }
}
