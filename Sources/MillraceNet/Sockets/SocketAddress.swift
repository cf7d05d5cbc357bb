import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port, as the operating system knows it. No names: a name is an
/// `Endpoint` and takes a look-up.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    private var isIPv6: Bool
    /// The address in network order; an IPv4 address fills the first four bytes of `high`.
    private var high: UInt64
    private var low: UInt64
    private var scope: UInt32
    public var port: UInt16

    /// A numeric address: `127.0.0.1`, `::1`, `fe80::1%eth0`; `*` and `` are every IPv4 address.
    public init(host: String, port: Int) throws(NetError) {
        guard let portNumber = UInt16(exactly: port) else {
            throw NetError.invalidAddress("\(port) is not a port (0 to 65535)")
        }
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let name = host.isEmpty || host == "*" ? "0.0.0.0" : host
        guard getaddrinfo(name, nil, &hints, &list) == 0, let first = list else {
            throw NetError.invalidAddress("\(host) is not an IPv4 or IPv6 address")
        }
        defer { freeaddrinfo(list) }
        guard let address = SocketAddress(first.pointee.ai_addr) else {
            throw NetError.invalidAddress("\(host) is not an IPv4 or IPv6 address")
        }
        self = address
        self.port = portNumber
    }

    init?(_ pointer: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(pointer)
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            let value = raw.loadUnaligned(as: sockaddr_in.self)
            isIPv6 = false
            high = UInt64(value.sin_addr.s_addr)
            low = 0
            scope = 0
            port = UInt16(bigEndian: value.sin_port)
        case AF_INET6:
            let value = raw.loadUnaligned(as: sockaddr_in6.self)
            isIPv6 = true
            (high, low) = withUnsafeBytes(of: value.sin6_addr) { bytes in
                (
                    bytes.loadUnaligned(as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
            }
            scope = value.sin6_scope_id
            port = UInt16(bigEndian: value.sin6_port)
        default: return nil
        }
    }

    /// 127.0.0.1; port 0 lets the system choose.
    public static func loopback(port: UInt16 = 0) -> SocketAddress {
        SocketAddress(
            isIPv6: false, high: UInt64(UInt32(0x7F00_0001).bigEndian), low: 0, scope: 0, port: port
        )
    }

    private init(isIPv6: Bool, high: UInt64, low: UInt64, scope: UInt32, port: UInt16) {
        self.isIPv6 = isIPv6
        self.high = high
        self.low = low
        self.scope = scope
        self.port = port
    }

    /// Whether only processes of this machine can reach it.
    public var isLoopback: Bool {
        isIPv6
            ? high == 0 && low == UInt64(1).bigEndian
            : UInt32(truncatingIfNeeded: high).bigEndian >> 24 == 127
    }

    /// Whether a socket of this machine can have it.
    public var isBindable: Bool {
        guard let socket = try? Socket.make(self) else { return false }
        return withSockaddr { bind(socket.raw, $0, $1) == 0 }
    }

    var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

    /// The address alone, without brackets.
    public var host: String {
        withSockaddr { pointer, length in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
                let code = getnameinfo(
                    pointer, length, text.baseAddress, 256, nil, 0, NI_NUMERICHOST)
                return code == 0 ? String(cString: text.baseAddress!) : "?"
            }
        }
    }

    /// `127.0.0.1:7077`, `[::1]:7077`.
    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        if isIPv6 {
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = port.bigEndian
            value.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &value.sin6_addr) { bytes in
                bytes.storeBytes(of: high, as: UInt64.self)
                bytes.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
            }
            return withUnsafeBytes(of: &value) { bytes in
                body(
                    bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(bytes.count))
            }
        }
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        value.sin_addr.s_addr = UInt32(truncatingIfNeeded: high)
        return withUnsafeBytes(of: &value) { bytes in
            body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}

/// Where a peer can be reached: a host name or numeric address, and a port.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    public init(_ address: SocketAddress) {
        self.init(host: address.host, port: address.port)
    }

    /// `host:7077`, `10.0.0.1:7077`, `[::1]:7077`.
    public init(parsing text: String) throws(NetError) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else {
            throw NetError.invalidAddress("\(text) is not host:port")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw NetError.invalidAddress(
                "\(text): an IPv6 address needs brackets, as in [::1]:7077")
        }
        guard !host.isEmpty else { throw NetError.invalidAddress("\(text) has no host") }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
