/// Custom headers or trailers of a call, in order. Names are lower case; a name that ends in `-bin`
/// has binary values (base64 on the wire), every other one printable ASCII.
public struct RPCMetadata: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One pair. `value` is what the application sees: raw bytes for `-bin`, text otherwise.
    public struct Entry: Hashable, Sendable {
        public var name: String
        public var value: [UInt8]
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// Adds a text value. The name is made lower case; it must not end in `-bin`.
    public mutating func append(_ name: String, _ value: String) {
        append(name, bytes: Array(value.utf8))
    }

    /// Adds a value as bytes: any for `-bin` names, printable ASCII for others.
    public mutating func append(_ name: String, bytes: [UInt8]) {
        entries.append(Entry(name: name.lowercased(), value: bytes))
    }

    /// The first value of that name as text.
    public subscript(_ name: String) -> String? {
        bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first value of that name.
    public func bytes(_ name: String) -> [UInt8]? {
        entries.first { $0.name == name }?.value
    }
}
