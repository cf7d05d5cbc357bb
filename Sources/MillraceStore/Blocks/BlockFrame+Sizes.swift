/// Where frames end, without opening them.
extension BlockFrame {
    /// Bytes of the whole frames that `bytes` begins with.
    public static func wholeFrames(_ bytes: [UInt8]) -> Int {
        var end = 0
        while let size = size(bytes, at: end), size <= bytes.count - end { end += size }
        return end
    }

    /// Bytes of the frame at `position`, as its header says; nil when the header is cut off, or is
    /// no frame's.
    public static func size(_ bytes: [UInt8], at position: Int) -> Int? {
        guard bytes.count - position >= headerSize else { return nil }
        let stored = bytes.withUnsafeBytes {
            Int(
                UInt32(
                    littleEndian: $0.loadUnaligned(
                        fromByteOffset: position + 5, as: UInt32.self)))
        }
        return stored <= maximumSize ? headerSize + stored : nil
    }
}
