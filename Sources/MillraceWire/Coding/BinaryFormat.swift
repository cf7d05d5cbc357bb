/// The bytes of the binary coder: one tag byte, then what the tag calls for.
///
/// A *record* (keyed container) is a run of (key, value) ended by key 0; a *list* (unkeyed
/// container) is a run of values ended by `end`. A key's name is written once per encoding and
/// referred to by number afterwards, so the rows of a batch pay one byte per field. There are no
/// lengths in front of containers: writing needs no second pass, and a reader that asks for the
/// fields in the order in which they were written never searches.
enum BinaryTag {
    // 0x00...0x7F: the integers 0...127. 0x80...0xBF: strings of 0...63 bytes. 0xD0...0xDF: the
    // integers -1...-16.
    static let shortString: UInt8 = 0x80
    static let null: UInt8 = 0xC0
    static let no: UInt8 = 0xC1
    static let yes: UInt8 = 0xC2
    /// varint(value)
    static let positive: UInt8 = 0xC3
    /// varint(~value)
    static let negative: UInt8 = 0xC4
    static let float: UInt8 = 0xC5
    static let double: UInt8 = 0xC6
    static let string: UInt8 = 0xC7
    static let bytes: UInt8 = 0xC8
    static let list: UInt8 = 0xC9
    static let record: UInt8 = 0xCA
    static let end: UInt8 = 0xCB
    /// A byte count, then a value whose keys are numbered on their own.
    static let scope: UInt8 = 0xCC
    static let int128: UInt8 = 0xCD
    static let uint128: UInt8 = 0xCE
    /// A field that `encodeIfPresent` left out: keeps the place, so that readers needn't search for
    /// it.
    static let absent: UInt8 = 0xCF
    static let smallNegative: UInt8 = 0xD0

    /// What stands in front of a record's value.
    static let endKey: UInt64 = 0
    /// A name that gets the next number.
    static let newKey: UInt64 = 1
    /// A name that gets none: the keys of a Dictionary are data.
    static let literalKey: UInt64 = 2
    static let firstKey: UInt64 = 3

    /// Values inside values. A user's `encode(to:)` takes several hundred bytes of stack a level.
    static let maximumDepth = 256
}

/// The key of a list's element and of `super`, for coding paths.
struct BinaryKey: CodingKey {
    var stringValue: String
    var intValue: Int?
    init(stringValue: String) { self.stringValue = stringValue }
    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
    static var superKey: BinaryKey { BinaryKey(stringValue: "super") }
}
