import CMachine

/// 128 bits that tell contents apart, at memory speed: for finding out that a value is known
/// already. Not for keeping forgers out; `SHA256` is.
public struct ContentHash: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(of bytes: [UInt8]) {
        var words: (UInt64, UInt64) = (0, 0)
        bytes.withUnsafeBufferPointer { bytes in
            withUnsafeMutableBytes(of: &words) { words in
                let target = words.bindMemory(to: UInt64.self).baseAddress!
                var empty: UInt8 = 0
                if let base = bytes.baseAddress {
                    cmachine_hash128(base, bytes.count, target)
                } else {
                    cmachine_hash128(&empty, 0, target)
                }
            }
        }
        (high, low) = words
    }
}
