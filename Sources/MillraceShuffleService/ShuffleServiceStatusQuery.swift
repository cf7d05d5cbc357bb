public import MillraceBase
import MillraceNet
public import MillraceWire
import Synchronization

/// Asks a running service how it does.
public enum ShuffleServiceStatusQuery {
    /// Throws `MillraceError` when there is no answer within `limit`. For a thread that may wait.
    public static func status(
        of service: String, conf: Conf, limit: Duration = .seconds(10)
    ) throws -> ShuffleServiceStatus {
        let target = try Endpoint(parsing: service)
        let tls = try TLSContext.client(conf)
        let token = try ApplicationSecret.read(conf)
        let loop = try EventLoop(name: "service-status")
        try loop.start()
        let answer = Answer()
        try loop.sync {
            var options = RPCChannelOptions()
            if let token { options.metadata = ["authorization": "Bearer \(token)"] }
            let channel = RPCChannel(loop: loop, target: target, tls: tls, options: options)
            channel.unary(
                "/millrace.v1.ShuffleService/GetStatus", [], deadline: loop.now + limit
            ) { result in
                answer.result.withLock { $0 = result }
                channel.close()
                loop.stop()
            }
        }
        // The call has a deadline, so an answer always comes.
        _ = loop.join(within: limit + .seconds(5))
        switch answer.result.withLock({ $0 }) {
        case .success(let bytes):
            return try ShuffleServiceStatus(decoding: bytes, arena: WireArena())
        case .failure(let status): throw MillraceError(.unavailable, "\(service): \(status)")
        case nil: throw MillraceError(.unavailable, "\(service): no answer within \(limit)")
        }
    }

    private final class Answer: Sendable {
        let result = Mutex<Result<[UInt8], RPCStatus>?>(nil)
    }
}
