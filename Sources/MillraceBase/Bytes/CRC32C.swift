import CMachine

/// CRC-32C (Castagnoli), the checksum of everything Millrace stores: blocks, state, shuffle files.
///
/// By the processor's instruction where it has one.
public struct CRC32C: Sendable {
    @usableFromInline var state: UInt32 = 0xFFFF_FFFF

    @inlinable public init() {}

    /// The checksum of all bytes so far.
    @inlinable public var value: UInt32 { ~state }

    /// Takes more bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state = CRC32C.advance(state, bytes)
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The checksum of these bytes.
    public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        ~advance(0xFFFF_FFFF, bytes)
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0) }
    }

    public static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0) }
    }

    private static func advance(_ start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        cmachine_crc32c(start, bytes.baseAddress, bytes.count)
    }
}
