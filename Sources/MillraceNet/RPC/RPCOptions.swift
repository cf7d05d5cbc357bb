import MillraceBase

/// Who is on the other side of a call.
public struct RPCPeer: Hashable, Sendable, CustomStringConvertible {
    public var address: SocketAddress
    /// The subject of the certificate that the peer proved to own, as `CN=executor 1,O=…`; nil in
    /// clear or without one.
    public var certificateSubject: String?

    public var description: String {
        certificateSubject.map { "\(address) (\($0))" } ?? "\(address)"
    }
}

/// What a connection does while nothing happens, and what it refuses. Same for both sides.
public struct RPCConnectionOptions: Sendable {
    /// The largest message taken; a larger one ends its call with RESOURCE_EXHAUSTED.
    public var maxReceiveMessageSize = ByteCount.mebibytes(4)
    /// Unsent bytes of one call above which `isWritable` is false …
    public var highWatermark = ByteCount.mebibytes(1)
    /// … until they have fallen to this, when `onWritable` is called.
    public var lowWatermark = ByteCount.kibibytes(256)
    /// Unsent bytes at which a call is ended (RESOURCE_EXHAUSTED): the sender ignores `isWritable`.
    public var maxQueuedBytes = ByteCount.mebibytes(512)
    /// Bytes a peer may send ahead on one call, and on all calls of a connection together.
    public var streamWindow = ByteCount.mebibytes(1)
    public var connectionWindow = ByteCount.mebibytes(16)
    /// The sum of a call's headers, with 32 bytes for each as HTTP/2 counts.
    public var maxHeaderListSize = ByteCount.kibibytes(64)
    /// A connection on which nothing arrived for this long is sent a ping; nil: never.
    public var keepAliveInterval: Duration? = .seconds(10)
    /// A ping that is not answered in this time ends the connection.
    public var keepAliveTimeout: Duration = .seconds(20)
    /// Connecting, TLS and the first HTTP/2 frame together may take this long.
    public var handshakeTimeout: Duration = .seconds(10)

    public init() {}
}

/// How an `RPCServer` serves.
public struct RPCServerOptions: Sendable {
    public var connection = RPCConnectionOptions()
    /// Calls a client may have open at a time on one connection.
    public var maxConcurrentStreams = 1_000
    /// Connections taken at a time; one more is closed at once.
    public var maxConnections = 10_000
    /// Decides whether a call is let in. nil: everybody is (with TLS: everybody who got through
    /// it).
    public var authorizer: RPCAuthorizer?
    /// Whether the health service needs authorisation too. Probes bring no token.
    public var authorizesHealth = false
    /// Serve without TLS client certificates and without an authorizer on an address that other
    /// machines reach. Off: such a server throws `NetError.unsafe` when it is made.
    public var permitsUnauthenticated = false
    /// The line that a browser or curl gets for `GET /`.
    public var banner = "Millrace control port: gRPC over HTTP/2."

    public init() {}
}

/// Lets a call in, or says why not (UNAUTHENTICATED, PERMISSION_DENIED). Runs on the loop, before
/// the call's handler is told of it.
public struct RPCAuthorizer: Sendable {
    public let decide:
        @Sendable (_ peer: RPCPeer, _ metadata: RPCMetadata, _ method: String) -> RPCStatus?

    /// `decide` gives nil to let the call in.
    public init(_ decide: @escaping @Sendable (RPCPeer, RPCMetadata, String) -> RPCStatus?) {
        self.decide = decide
    }

    /// Lets calls in whose metadata has `authorization: Bearer <token>`.
    public static func bearerToken(_ token: String) -> RPCAuthorizer {
        let expected = Array("Bearer \(token)".utf8)
        return RPCAuthorizer { _, metadata, _ in
            let given = metadata.bytes("authorization") ?? []
            return isEqualInConstantTime(given, expected)
                ? nil : RPCStatus(.unauthenticated, "a bearer token of this application is needed")
        }
    }

    /// Lets calls in whose peer has a certificate whose subject passes.
    public static func certificate(_ accepts: @escaping @Sendable (String) -> Bool) -> RPCAuthorizer
    {
        RPCAuthorizer { peer, _, _ in
            guard let subject = peer.certificateSubject else {
                return RPCStatus(.unauthenticated, "a client certificate is needed")
            }
            return accepts(subject) ? nil : RPCStatus(.unauthenticated, "\(subject) is not let in")
        }
    }
}

/// Compares secrets without telling by its time how much of a guess was right.
func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    var difference = left.count ^ right.count
    for index in right.indices {
        difference |= Int((index < left.count ? left[index] : 0) ^ right[index])
    }
    return difference == 0
}

/// How an `RPCChannel` dials.
public struct RPCChannelOptions: Sendable {
    public var connection = RPCConnectionOptions()
    /// Metadata sent with every call, e.g. `authorization`.
    public var metadata: RPCMetadata = [:]
    /// After a connection could not be made, the next attempt waits at least this long, doubled
    /// with each failure up to the second.
    public var minBackoff: Duration = .milliseconds(50)
    public var maxBackoff: Duration = .seconds(5)

    public init() {}
}
