import CNghttp2

/// One header field as it came: the name is lower case.
struct HTTP2Header: Hashable {
    var name: String
    var value: [UInt8]

    var text: String { String(decoding: value, as: UTF8.self) }
}

/// Header fields in order, with HTTP/2's pseudo headers apart from the others.
struct HTTP2Headers {
    /// `:method`, `:path`, `:status`, `:scheme`, `:authority`.
    private(set) var method = ""
    private(set) var path = ""
    private(set) var status = 0
    private(set) var fields: [HTTP2Header] = []
    /// As HTTP/2 counts: 32 bytes more than name and value for each field.
    private(set) var size = 0

    mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        size += name.count + value.count + 32
        let key = String(decoding: name, as: UTF8.self)
        guard key.utf8.first == UInt8(ascii: ":") else {
            fields.append(HTTP2Header(name: key, value: Array(value)))
            return
        }
        switch key {
        case ":method": method = String(decoding: value, as: UTF8.self)
        case ":path": path = String(decoding: value, as: UTF8.self)
        case ":status": status = Int(String(decoding: value, as: UTF8.self)) ?? 0
        default: break
        }
    }

    subscript(name: String) -> String? { fields.first { $0.name == name }?.text }
}

/// Header fields to send, in one block of memory, as nghttp2 wants them.
struct HTTP2HeaderBlock {
    private struct Span {
        var name: Range<Int>
        var value: Range<Int>
    }

    private var storage: [UInt8] = []
    private var spans: [Span] = []

    init() { storage.reserveCapacity(256) }

    mutating func append(_ name: String, _ value: String) {
        let nameRange = add(name.utf8)
        spans.append(Span(name: nameRange, value: add(value.utf8)))
    }

    mutating func append(_ name: String, _ value: [UInt8]) {
        let nameRange = add(name.utf8)
        spans.append(Span(name: nameRange, value: add(value)))
    }

    private mutating func add(_ bytes: some Collection<UInt8>) -> Range<Int> {
        let start = storage.count
        storage.append(contentsOf: bytes)
        return start..<storage.count
    }

    /// Valid within the closure; nghttp2 copies.
    func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        storage.withUnsafeBufferPointer { bytes in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: max(1, spans.count)) {
                fields in
                // Fields are never empty as a whole: `:status` or `grpc-status` is always there.
                let base = UnsafeMutablePointer(mutating: bytes.baseAddress!)
                for (index, span) in spans.enumerated() {
                    fields.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: base + span.name.lowerBound, value: base + span.value.lowerBound,
                            namelen: span.name.count, valuelen: span.value.count, flags: 0))
                }
                return body(fields.baseAddress, spans.count)
            }
        }
    }
}
