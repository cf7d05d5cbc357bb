import CLinux
import Glibc
import Synchronization

/// Host names to addresses, without blocking a loop: the system's resolver knows only blocking
/// calls, so each look-up of a name has a thread of its own for as long as it takes. Numeric
/// addresses need none.
enum Resolver {
    /// Look-ups at a time in this process; more than that fail at once.
    private static let maxLookUps = 64
    private static let lookUps = Atomic<Int>(0)

    /// Calls `completion` on the loop, in a later step. The caller has the deadline: a result that
    /// comes after it is to be ignored.
    static func resolve(
        _ endpoint: Endpoint, loop: EventLoop,
        completion: @escaping (Result<[SocketAddress], NetError>) -> Void
    ) {
        let bound = LoopBound(completion, loop: loop)
        if let address = try? SocketAddress(host: endpoint.host, port: Int(endpoint.port)) {
            loop.post { bound.value(.success([address])) }
            return
        }
        guard lookUps.add(1, ordering: .relaxed).newValue <= maxLookUps else {
            lookUps.subtract(1, ordering: .relaxed)
            loop.post {
                bound.value(
                    .failure(.invalidAddress("\(endpoint.host): too many look-ups at a time")))
            }
            return
        }
        let box = Unmanaged.passRetained(
            LookUp(endpoint) { result in
                lookUps.subtract(1, ordering: .relaxed)
                loop.post { bound.value(result) }
            })
        var thread = pthread_t()
        guard pthread_create(&thread, nil, lookUpThread, box.toOpaque()) == 0 else {
            box.takeRetainedValue().done(
                .failure(.invalidAddress("\(endpoint.host): no thread to look it up")))
            return
        }
        pthread_detach(thread)
    }

    fileprivate static func lookUp(_ endpoint: Endpoint) -> Result<[SocketAddress], NetError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(endpoint.host, nil, &hints, &list)
        guard code == 0 else {
            return .failure(
                .invalidAddress("\(endpoint.host): \(String(cString: gai_strerror(code)))"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if var address = SocketAddress(entry.pointee.ai_addr) {
                address.port = endpoint.port
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return addresses.isEmpty
            ? .failure(.invalidAddress("\(endpoint.host) has no address")) : .success(addresses)
    }
}

private final class LookUp: Sendable {
    let endpoint: Endpoint
    let done: @Sendable (Result<[SocketAddress], NetError>) -> Void
    init(
        _ endpoint: Endpoint, done: @escaping @Sendable (Result<[SocketAddress], NetError>) -> Void
    ) {
        self.endpoint = endpoint
        self.done = done
    }
}

private func lookUpThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let lookUp = Unmanaged<LookUp>.fromOpaque(argument!).takeRetainedValue()
    lookUp.done(Resolver.lookUp(lookUp.endpoint))
    return nil
}
