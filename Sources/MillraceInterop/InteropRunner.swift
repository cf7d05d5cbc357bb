import MillraceBase
import MillraceNet

/// Runs one case on its loop and reports nil, or what was not as it must be.
final class InteropRunner {
    static let service = "/grpc.testing.TestService"

    let loop: EventLoop
    let target: Endpoint
    let tls: TLSContext?
    let count: Int
    private(set) var channel: RPCChannel
    private var done: ((String?) -> Void)?

    init(
        loop: EventLoop, target: Endpoint, tls: TLSContext?, count: Int,
        done: @escaping (String?) -> Void
    ) {
        self.loop = loop
        self.target = target
        self.tls = tls
        self.count = count
        self.done = done
        channel = RPCChannel(loop: loop, target: target, tls: tls)
    }

    func run(_ name: InteropCase) {
        switch name {
        case .emptyUnary: emptyUnary()
        case .largeUnary: largeUnary(channel) { self.end($0) }
        case .clientStreaming: clientStreaming()
        case .serverStreaming: serverStreaming()
        case .pingPong: pingPong()
        case .emptyStream: emptyStream()
        case .timeoutOnSleepingServer: timeoutOnSleepingServer()
        case .cancelAfterBegin: cancelAfterBegin()
        case .cancelAfterFirstResponse: cancelAfterFirstResponse()
        case .statusCodeAndMessage: statusMessage("test status message", streamingToo: true)
        case .specialStatusMessage:
            statusMessage(
                "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n",
                streamingToo: false)
        case .customMetadata: customMetadata()
        case .unimplementedMethod: expectUnimplemented("\(Self.service)/UnimplementedCall")
        case .unimplementedService:
            expectUnimplemented("/grpc.testing.UnimplementedService/UnimplementedCall")
        case .rpcSoak: soak(newChannels: false)
        case .channelSoak: soak(newChannels: true)
        }
    }

    /// The first outcome counts; the channel is closed with it.
    func end(_ failure: String?) {
        guard let done = done.take() else { return }
        channel.close()
        done(failure)
    }

    /// Fails unless that holds.
    func check(_ isTrue: Bool, _ claim: @autoclosure () -> String) {
        if !isTrue { end(claim()) }
    }

    func renewChannel() {
        channel.close()
        channel = RPCChannel(loop: loop, target: target, tls: tls)
    }

    /// One request, one response, and everything around them.
    func unary(
        _ method: String, _ request: [UInt8], metadata: RPCMetadata = [:],
        _ completion: @escaping (UnaryOutcome) -> Void
    ) {
        var outcome = UnaryOutcome()
        let call = channel.call(method, metadata: metadata)
        call.onInitialMetadata = { outcome.initial = $0 }
        call.onMessage = { outcome.responses.append($0) }
        call.onEnd = { status, trailers in
            outcome.status = status
            outcome.trailers = trailers
            completion(outcome)
        }
        call.send(request)
        call.halfClose()
    }

    struct UnaryOutcome {
        var initial: RPCMetadata = [:]
        var responses: [[UInt8]] = []
        var status = RPCStatus.ok
        var trailers: RPCMetadata = [:]
    }
}
