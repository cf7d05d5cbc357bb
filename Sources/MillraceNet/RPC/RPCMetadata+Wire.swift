/// Metadata to and from HTTP/2 header fields.
extension RPCMetadata {
    /// Names that belong to gRPC or HTTP/2 and are not the application's.
    private static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("grpc-") || name == "te" || name == "content-type" || name == "connection"
    }

    /// What of the header fields is the application's. A `-bin` value that is not base64 is left
    /// out.
    init(_ fields: [HTTP2Header]) {
        self.init()
        for field in fields where !Self.isReserved(field.name) {
            guard field.name.hasSuffix("-bin") else {
                append(field.name, bytes: field.value)
                continue
            }
            // Several values of one name may have been joined by commas.
            for part in field.value.split(
                separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            {
                if let bytes = Base64.decode(part) { append(field.name, bytes: bytes) }
            }
        }
    }

    /// Adds the pairs to headers that are to be sent; a reserved name or a value that no header can
    /// carry is a bug of the caller.
    func write(to block: inout HTTP2HeaderBlock) {
        for entry in entries {
            precondition(!Self.isReserved(entry.name), "\(entry.name) is not a metadata name")
            guard !entry.name.hasSuffix("-bin") else {
                block.append(entry.name, Base64.encode(entry.value))
                continue
            }
            precondition(
                entry.value.allSatisfy { $0 >= 0x20 && $0 <= 0x7E },
                "\(entry.name): text metadata is printable ASCII; name it -bin for bytes")
            block.append(entry.name, entry.value)
        }
    }
}
