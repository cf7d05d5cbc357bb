/// What the first bytes on a server's connection are: HTTP/2, somebody's HTTP/1 request, or
/// neither.
struct HTTP2Preface {
    enum Verdict {
        /// More bytes are needed.
        case undecided
        /// HTTP/2; all bytes so far, to be passed on.
        case http2([UInt8])
        case http1
        case neither
    }

    static let magic = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let answerToHTTP1 = Array(
        """
        HTTP/1.1 426 Upgrade Required\r
        Content-Type: text/plain\r
        Content-Length: 36\r
        Connection: close\r
        \r
        This port speaks gRPC over HTTP/2.\r\n
        """.utf8)
    /// A request line that is longer is not waited for.
    private static let maxLine = 8 * 1024

    private var seen: [UInt8] = []

    mutating func examine(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        seen.append(contentsOf: bytes)
        let common = min(seen.count, Self.magic.count)
        if seen[..<common] == Self.magic[..<common] {
            return common == Self.magic.count ? .http2(seen) : .undecided
        }
        guard let first = seen.first, first >= UInt8(ascii: "A"), first <= UInt8(ascii: "Z") else {
            return .neither
        }
        guard let end = seen.firstIndex(of: 0x0A) else {
            return seen.count < Self.maxLine ? .undecided : .neither
        }
        let line = String(decoding: seen[..<end], as: UTF8.self)
        return line.contains(" HTTP/1.") || line.contains(" HTTP/0.") ? .http1 : .neither
    }
}
