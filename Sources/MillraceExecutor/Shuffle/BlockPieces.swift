import MillraceStore

/// A block that is too large to be held, as pieces of whole frames.
struct BlockPieces {
    /// Bytes of the block from an offset on; fewer than asked for only at its end.
    typealias Read = (_ offset: Int, _ count: Int) throws -> [UInt8]
    private let size: Int
    private let read: Read
    private var position = 0
    private var isAtEnd = false

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
            let bytes = try read(position, count)
            isAtEnd = bytes.count < count
            if isAtEnd { return bytes.isEmpty ? nil : bytes }
            let whole = BlockFrame.wholeFrames(bytes)
            if whole > 0 {
                position += whole
                return whole == bytes.count ? bytes : Array(bytes[..<whole])
            }
            guard let needed = BlockFrame.size(bytes, at: 0), needed > count else {
                isAtEnd = true
                return bytes
            }
            count = needed
        }
        return nil
    }
}
