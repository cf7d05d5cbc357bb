import MillraceBase

/// Collects the records of one delta or snapshot, in any order; `StateFolder.publish` makes the
/// file.
///
/// Records of one group keep their order, so of one key the last wins. Keys and values are opaque
/// here: an operator may as well put one record per group with an empty key and many encoded rows
/// as its value, and take the rows apart when they are played back.
public struct DeltaWriter: Sendable {
    /// What a file holds.
    public enum Kind: UInt8, Sendable {
        /// The keys that changed from `version` - 1 to `version`.
        case delta = 1
        /// All keys of the groups at `version`. `remove` is a mistake in it.
        case snapshot = 2
    }

    public let kind: Kind
    /// The version this file leads to.
    public let version: Int
    public let groups: Range<Int>

    @usableFromInline var payload = ByteWriter()
    @usableFromInline var records: [Record] = []

    public init(_ kind: Kind, version: Int, groups: Range<Int>) {
        precondition(version > 0, "version 0 is empty and has no file")
        precondition(groups.lowerBound >= 0 && !groups.isEmpty, "a file holds at least one group")
        self.kind = kind
        self.version = version
        self.groups = groups
    }

    /// Records so far.
    public var count: Int { records.count }
    /// Bytes of keys and values so far.
    public var size: Int { payload.count }

    public mutating func put(group: Int, key: [UInt8], value: [UInt8]) {
        put(group: group) {
            $0.writeRaw(key)
        } value: {
            $0.writeRaw(value)
        }
    }

    /// Puts a key whose bytes and value are written in place, without an array for each.
    @inlinable
    public mutating func put(
        group: Int, key: (inout ByteWriter) throws -> Void,
        value: (inout ByteWriter) throws -> Void
    ) rethrows {
        let start = payload.count
        try key(&payload)
        let middle = payload.count
        try value(&payload)
        append(Record(group: group, start: start, middle: middle, end: payload.count))
    }

    public mutating func remove(group: Int, key: [UInt8]) {
        remove(group: group) { $0.writeRaw(key) }
    }

    @inlinable
    public mutating func remove(group: Int, key: (inout ByteWriter) throws -> Void) rethrows {
        precondition(kind == .delta, "a snapshot holds no removals")
        let start = payload.count
        try key(&payload)
        append(Record(group: group, start: start, middle: payload.count, end: -1))
    }

    @usableFromInline mutating func append(_ record: Record) {
        precondition(groups.contains(record.group), "group \(record.group) is not in \(groups)")
        records.append(record)
    }

    /// Where one record's key and value lie in `payload`; `end` is -1 for a removal.
    @usableFromInline struct Record: Sendable {
        @usableFromInline var group: Int
        @usableFromInline var start: Int
        @usableFromInline var middle: Int
        @usableFromInline var end: Int
        @usableFromInline init(group: Int, start: Int, middle: Int, end: Int) {
            self.group = group
            self.start = start
            self.middle = middle
            self.end = end
        }
    }
}
