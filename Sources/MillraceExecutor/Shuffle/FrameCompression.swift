import MillraceBase
import MillraceStore

/// Packs one piece after the other, and stops trying for a while when they do not shrink: random
/// or already compressed values cost a compressor its time for nothing.
struct FrameCompression {
    private let codec: CompressionCodec?
    private let cipher: BlockCipher?
    /// Pieces that will be stored as they are, and how many that was to be.
    private var skips = 0
    private var patience = 1
    private static let longestSkip = 64

    init(_ codec: CompressionCodec?, _ cipher: BlockCipher?) {
        self.codec = codec
        self.cipher = cipher
    }

    mutating func pack(_ piece: [UInt8]) -> [UInt8] {
        if skips > 0 {
            skips -= 1
            return BlockFrame.pack(piece, nil, cipher)
        }
        let frame = BlockFrame.pack(piece, codec, cipher)
        let hasShrunk = frame.count < piece.count - piece.count / 16
        if hasShrunk || piece.count < 4096 {
            patience = 1
        } else {
            skips = patience
            patience = min(2 * patience, Self.longestSkip)
        }
        return frame
    }
}
