import MillraceBase

/// One decoding under way: where the next value is, the numbered keys met so far, and the values
/// that are being read, outermost first.
///
/// Always true: every key definition before `scanned` is in `names`. Bytes are only ever passed
/// from front to back (a search may go back, but not past what was scanned), so numbers mean the
/// same as to the writer.
final class DecoderSession {
    enum Kind { case untouched, single, list, record }
    struct Level {
        /// The value's tag.
        var start: Int
        /// Behind what has been read of it.
        var cursor: Int
        var kind = Kind.untouched
        var key: (any CodingKey)?
    }

    let bytes: [UInt8]
    let end: Int
    var position: Int
    var levels: [Level] = []
    var names: [String] = []
    /// Where each of `names` is defined, ascending.
    var definitions: [Int] = []
    var scanned: Int
    let userInfo: [CodingUserInfoKey: any Sendable]
    var outerPath: [any CodingKey] = []
    var outerDepth = 0

    init(
        _ bytes: [UInt8], from start: Int, to end: Int,
        userInfo: [CodingUserInfoKey: any Sendable]
    ) {
        self.bytes = bytes
        self.end = end
        self.userInfo = userInfo
        position = start
        scanned = start
    }

    var path: [any CodingKey] { outerPath + levels.compactMap(\.key) }

    func corrupted(_ reason: String) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: path, debugDescription: "at byte \(position): \(reason)")
        return DecodingError.dataCorrupted(context)
    }

    func mismatch(_ type: Any.Type) -> DecodingError {
        let found = position < end ? tagName(bytes[position]) : "the end"
        let context = DecodingError.Context(
            codingPath: path, debugDescription: "at byte \(position): \(found), not \(type)")
        return DecodingError.typeMismatch(type, context)
    }

    // MARK: bytes

    func peek() throws -> UInt8 {
        guard position < end else { throw corrupted("ends where a value is expected") }
        return bytes[position]
    }

    func varint() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < end else { throw corrupted("ends within a number") }
            let byte = bytes[position]
            guard shift < 63 || (shift == 63 && byte <= 1) else {
                throw corrupted("number over 64 bits")
            }
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    func fixed<Value: FixedWidthInteger>(_: Value.Type) throws -> Value {
        let size = MemoryLayout<Value>.size
        guard end - position >= size else { throw corrupted("ends within a \(size)-byte number") }
        let value = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: position, as: Value.self)
        }
        position += size
        return Value(littleEndian: value)
    }

    /// A count of bytes, all of which are there.
    func count() throws -> Int {
        let count = try varint()
        guard count <= UInt64(end - position) else {
            throw corrupted("\(count) bytes expected, \(end - position) left")
        }
        return Int(count)
    }

    func text(_ count: Int) throws -> String {
        guard count <= end - position else { throw corrupted("string is cut off") }
        let bytes = bytes[position..<position + count]
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw corrupted("string is not UTF-8")
        }
        position += count
        return text
    }

    // MARK: keys

    /// What stands in front of a record's next value; nil at the record's end.
    enum Key {
        case number(Int)
        case literal(String)
    }

    func readKey() throws -> Key? {
        let start = position
        let code = try varint()
        switch code {
        case BinaryTag.endKey: return nil
        case BinaryTag.literalKey: return .literal(try text(try count()))
        case BinaryTag.newKey:
            if start >= scanned {
                names.append(try text(try count()))
                scanned = position
                definitions.append(start)
                return .number(names.count - 1)
            }
            // Met before; its number follows from the order of the definitions.
            position += try count()
            return .number(try definitionNumber(start))
        default:
            guard code - BinaryTag.firstKey < UInt64(names.count) else {
                throw corrupted("key number \(code) was not defined")
            }
            return .number(Int(code - BinaryTag.firstKey))
        }
    }
    private func definitionNumber(_ start: Int) throws -> Int {
        var (low, high) = (0, definitions.count)
        while low < high {
            let middle = (low + high) / 2
            if definitions[middle] < start { low = middle + 1 } else { high = middle }
        }
        guard low < definitions.count, definitions[low] == start else {
            throw corrupted("stray key")
        }
        return low
    }

    func name(_ key: Key) -> String {
        switch key {
        case .number(let number): names[number]
        case .literal(let name): name
        }
    }

    // MARK: skipping

    /// Moves past one value. `depth` counts the values inside values.
    func skip(depth: Int = 0) throws {
        guard depth < BinaryTag.maximumDepth else { throw corrupted("nests too deep") }
        let tag = try peek()
        position += 1
        switch tag {
        case 0...0x7F, BinaryTag.null, BinaryTag.no, BinaryTag.yes, BinaryTag.absent, 0xD0...0xDF:
            return
        case BinaryTag.shortString..<BinaryTag.null: try pass(Int(tag - BinaryTag.shortString))
        case BinaryTag.positive, BinaryTag.negative: _ = try varint()
        case BinaryTag.float: try pass(4)
        case BinaryTag.double: try pass(8)
        case BinaryTag.int128, BinaryTag.uint128: try pass(16)
        case BinaryTag.string, BinaryTag.bytes, BinaryTag.scope: try pass(try count())
        case BinaryTag.list: try skipList(depth)
        case BinaryTag.record: try skipRecord(depth)
        default:
            position -= 1
            throw corrupted("\(tag) is no tag")
        }
    }

    func skipList(_ depth: Int) throws {
        while try peek() != BinaryTag.end { try skip(depth: depth + 1) }
        position += 1
    }

    func skipRecord(_ depth: Int) throws {
        while try readKey() != nil { try skip(depth: depth + 1) }
    }

    private func pass(_ count: Int) throws {
        guard count <= end - position else {
            throw corrupted("\(count) bytes expected, \(end - position) left")
        }
        position += count
    }
}

private func tagName(_ tag: UInt8) -> String {
    switch tag {
    case 0...0x7F, BinaryTag.positive, BinaryTag.negative, 0xD0...0xDF: "an integer"
    case BinaryTag.shortString..<BinaryTag.null, BinaryTag.string: "a string"
    case BinaryTag.null, BinaryTag.absent: "nil"
    case BinaryTag.no, BinaryTag.yes: "a Bool"
    case BinaryTag.float: "a Float"
    case BinaryTag.double: "a Double"
    case BinaryTag.int128, BinaryTag.uint128: "a 128-bit integer"
    case BinaryTag.bytes: "bytes"
    case BinaryTag.list: "a list"
    case BinaryTag.record: "a record"
    default: "tag \(tag)"
    }
}
