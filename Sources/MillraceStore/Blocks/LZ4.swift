import CLZ4
import MillraceBase

/// LZ4 block compression with checks.
///
/// A block is self-describing: one byte of method, the raw size, the stored size, CRC-32C of what is
/// stored, then the stored bytes; what does not shrink is stored as it is.
public enum LZ4 {
    /// More than this in one block is a mistake of the caller (LZ4's own limit is just below 2 GiB).
    public static let maximumBlockSize = 1 << 30

    /// The raw bytes as one self-describing block.
    public static func compress(_ raw: [UInt8]) -> [UInt8] { preconditionFailure("to come") }

    /// The raw bytes of one self-describing block. Throws if a byte of it is wrong.
    public static func decompress(_ block: [UInt8]) throws(ByteError) -> [UInt8] {
        preconditionFailure("to come")
    }
}
