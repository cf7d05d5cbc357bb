import Glibc

/// What can go wrong between this process and the network. Expected failures only: a misuse of the
/// API is a `precondition`.
public enum NetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The operating system refused: what was tried, and its error number.
    case system(operation: String, code: Int32)
    /// A wait came to its deadline.
    case timedOut(String)
    /// Not an address, or a name that has none.
    case invalidAddress(String)
    /// The connection is gone; the text says who closed it and why.
    case closed(String)
    /// A certificate, a key or a handshake that OpenSSL does not accept.
    case tls(String)
    /// Bytes of the peer that are not the protocol.
    case protocolViolation(String)
    /// What was asked for is unsafe: a listener off loopback that would let anybody in.
    case unsafe(String)
    /// The event loop has stopped.
    case stopped

    public var description: String {
        switch self {
        case .system(let operation, let code):
            "\(operation): \(String(cString: strerror(code)))"
        case .timedOut(let what): "\(what): timed out"
        case .invalidAddress(let text): text
        case .closed(let why): why
        case .tls(let why): why
        case .protocolViolation(let what): what
        case .unsafe(let why): why
        case .stopped: "the event loop has stopped"
        }
    }

    /// The error of the system call that just failed.
    static func last(_ operation: String) -> NetError {
        .system(operation: operation, code: errno)
    }
}
