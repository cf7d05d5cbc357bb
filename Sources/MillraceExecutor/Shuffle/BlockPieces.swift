import MillraceStore

/// A block that is too large to be held, as pieces of whole frames.
struct BlockPieces {
    /// Puts the block's bytes from an offset on into an array, in place of what is there; fewer
    /// than asked for only at its end.
    typealias Read = (_ offset: Int, _ count: Int, _ bytes: inout [UInt8]) throws -> Void
    private let size: Int
    private let read: Read
    private var position = 0
    private var isAtEnd = false
    /// The last piece: its memory is used again when who got it holds it no more.
    private var piece: [UInt8] = []

    /// Pieces of up to `size` bytes, more only for a frame that is larger.
    init(of size: Int, read: @escaping Read) {
        self.size = size
        self.read = read
    }

    /// The next frames; nil at the end. What is no frame is handed out as it is: who opens it finds
    /// out.
    mutating func next() throws -> [UInt8]? {
        var count = size
        while !isAtEnd {
            try read(position, count, &piece)
            isAtEnd = piece.count < count
            if isAtEnd { return piece.isEmpty ? nil : piece }
            let whole = BlockFrame.wholeFrames(piece)
            if whole > 0 {
                position += whole
                piece.removeLast(piece.count - whole)
                return piece
            }
            guard let needed = BlockFrame.size(piece, at: 0), needed > count else {
                isAtEnd = true
                return piece
            }
            count = needed
        }
        return nil
    }
}
