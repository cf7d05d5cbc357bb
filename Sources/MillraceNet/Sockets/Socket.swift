import CLinux
import Glibc

/// The system calls on TCP sockets, with typed errors.
enum Socket {
    static func make(_ address: SocketAddress) throws(NetError) -> FileDescriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = socket(address.family, type, 0)
        guard raw >= 0 else { throw NetError.last("socket") }
        return FileDescriptor(owning: raw)
    }

    static func listen(_ address: SocketAddress) throws(NetError) -> FileDescriptor {
        let descriptor = try make(address)
        set(descriptor.raw, SOL_SOCKET, SO_REUSEADDR, 1)
        let bound = address.withSockaddr { Glibc.bind(descriptor.raw, $0, $1) }
        guard bound == 0 else { throw NetError.last("bind \(address)") }
        guard Glibc.listen(descriptor.raw, 1_024) == 0 else {
            throw NetError.last("listen \(address)")
        }
        return descriptor
    }

    /// Starts to connect; the socket becomes writable when it is done (see `pendingError`).
    static func connect(_ address: SocketAddress) throws(NetError) -> FileDescriptor {
        let descriptor = try make(address)
        setNoDelay(descriptor.raw)
        let result = address.withSockaddr { Glibc.connect(descriptor.raw, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw NetError.last("connect \(address)") }
        return descriptor
    }

    /// The next connection that waits, or nil; throws on real errors (EMFILE).
    static func accept(_ listener: Int32) throws(NetError) -> (raw: Int32, peer: SocketAddress)? {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let raw = withUnsafeMutableBytes(of: &storage) { bytes in
                let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
                return clinux_accept(listener, pointer, &length)
            }
            if raw >= 0 {
                setNoDelay(raw)
                let peer = withUnsafeBytes(of: &storage) { bytes in
                    SocketAddress(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self))
                }
                return (raw, peer ?? .loopback())
            }
            switch errno {
            case EAGAIN: return nil
            // The connection was gone before it was taken: the next one.
            case EINTR, ECONNABORTED, EPROTO: continue
            default: throw NetError.last("accept")
            }
        }
    }

    static func localAddress(_ raw: Int32) throws(NetError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let address = withUnsafeMutableBytes(of: &storage) { bytes -> SocketAddress? in
            let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return getsockname(raw, pointer, &length) == 0 ? SocketAddress(pointer) : nil
        }
        guard let address else { throw NetError.last("getsockname") }
        return address
    }

    /// The error of a connect that has ended, 0 for success.
    static func pendingError(_ raw: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    private static func setNoDelay(_ raw: Int32) { set(raw, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    private static func set(_ raw: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
