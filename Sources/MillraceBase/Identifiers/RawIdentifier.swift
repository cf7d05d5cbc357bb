/// One dense integer that names a thing: comparable, hashable, free to copy, printed with its noun
/// ("task 12").
///
/// Dense, because per-task tables are arrays indexed by `rawValue`, not dictionaries.
public protocol RawIdentifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    static var noun: String { get }
    var rawValue: Int { get }
    init(_ rawValue: Int)
}

extension RawIdentifier {
    @inlinable public var description: String { "\(Self.noun) \(rawValue)" }
    @inlinable public static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
    @inlinable public var next: Self { Self(rawValue + 1) }
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Int.self))
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
