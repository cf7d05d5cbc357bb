/// What is wrong with bytes that came from outside: where, and what was expected there.
public struct ByteError: Error, Hashable, Sendable, CustomStringConvertible {
    public var offset: Int
    public var reason: String
    public init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }
    public var description: String { "at byte \(offset): \(reason)" }
}

/// Reads what `ByteWriter` wrote. Trusts nothing: each read is bounds-checked, each count is
/// checked against the bytes that are left, so that no input can make it trap or allocate more than
/// the input's own size.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    public internal(set) var position: Int
    @usableFromInline let end: Int

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }
    public init(_ slice: ArraySlice<UInt8>) {
        bytes = Array(slice)
        position = 0
        end = bytes.count
    }

    public var remaining: Int { end - position }
    public var isAtEnd: Bool { position == end }

    public func failure(_ reason: String) -> ByteError {
        ByteError(offset: position, reason: reason)
    }

    public mutating func readByte() throws(ByteError) -> UInt8 {
        guard position < end else { throw failure("ends where a byte is expected") }
        position += 1
        return bytes[position - 1]
    }

    public mutating func readFixed<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(ByteError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw failure("ends within a \(size)-byte integer") }
        let value = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: position, as: Value.self)
        }
        position += size
        return Value(littleEndian: value)
    }

    public mutating func readDouble() throws(ByteError) -> Double {
        Double(bitPattern: try readFixed(UInt64.self))
    }

    public mutating func readVarint() throws(ByteError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try readByte()
            guard shift < 63 || (shift == 63 && byte <= 1) else {
                throw failure("varint is over 64 bits")
            }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A count of things that take at least `minimumSize` bytes each, so it cannot exceed what is
    /// left.
    public mutating func readCount(minimumSize: Int = 1) throws(ByteError) -> Int {
        let value = try readVarint()
        guard
            value <= UInt64(remaining / max(minimumSize, 1))
                || (minimumSize == 0 && value <= 1 << 32)
        else { throw failure("count \(value) exceeds the \(remaining) bytes left") }
        return Int(value)
    }

    public mutating func readSigned() throws(ByteError) -> Int64 {
        let raw = try readVarint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    public mutating func readBool() throws(ByteError) -> Bool {
        switch try readByte() {
        case 0: return false
        case 1: return true
        case let other: throw failure("\(other) is neither true (1) nor false (0)")
        }
    }

    public mutating func readRaw(_ count: Int) throws(ByteError) -> [UInt8] {
        guard count >= 0, remaining >= count else {
            throw failure("\(count) bytes expected, \(remaining) left")
        }
        position += count
        return Array(bytes[(position - count)..<position])
    }

    public mutating func readBytes() throws(ByteError) -> [UInt8] { try readRaw(try readCount()) }

    public mutating func readString() throws(ByteError) -> String {
        let count = try readCount()
        guard remaining >= count else { throw failure("string is cut off") }
        let start = position
        position += count
        guard let string = String(validating: bytes[start..<position], as: UTF8.self) else {
            throw failure("string is not UTF-8")
        }
        return string
    }

    /// Ends the reading: bytes left over mean that the writer and the reader disagree.
    public func expectEnd() throws(ByteError) {
        guard isAtEnd else { throw failure("\(remaining) bytes left over") }
    }
}
