import MillraceBase
import MillraceNet

/// grpc.testing.TestService: what the official interop clients call.
enum TestService {
    static let name = "grpc.testing.TestService"

    static func register(on server: RPCServer) {
        server.registerDescriptors(package: "grpc.testing")
        server.register(unary: "/\(name)/EmptyCall") { _, call, reply in
            echo(call)
            reply(.success([]))
        }
        server.register(method: "/\(name)/UnaryCall", unary)
        server.register(method: "/\(name)/StreamingInputCall", sum)
        server.register(method: "/\(name)/StreamingOutputCall") { respond($0, whenComplete: false) }
        server.register(method: "/\(name)/FullDuplexCall") { respond($0, whenComplete: false) }
        server.register(method: "/\(name)/HalfDuplexCall") { respond($0, whenComplete: true) }
    }

    /// Sends the request's echo metadata back as headers; gives those for the trailers.
    @discardableResult
    private static func echo(_ call: RPCServerCall) -> RPCMetadata {
        if let initial = call.metadata["x-grpc-test-echo-initial"] {
            call.sendInitialMetadata(["x-grpc-test-echo-initial": initial])
        }
        var trailers: RPCMetadata = [:]
        if let trailing = call.metadata.bytes("x-grpc-test-echo-trailing-bin") {
            trailers.append("x-grpc-test-echo-trailing-bin", bytes: trailing)
        }
        return trailers
    }

    private static let unreadable = RPCStatus(.invalidArgument, "the request is not protobuf")

    private static func unary(_ call: RPCServerCall) {
        var request: TestMessages.Request?
        let trailers = echo(call)
        call.onMessage = { [unowned call] message in
            request = TestMessages.Request(message)
            if request == nil { call.finish(unreadable) }
        }
        call.onHalfClose = { [unowned call] in
            let status = request?.status ?? .ok
            if status.isOK { call.send(TestMessages.withPayload(request?.responseSize ?? 0)) }
            call.finish(status, trailers: trailers)
        }
    }

    private static func sum(_ call: RPCServerCall) {
        var total = 0
        call.onMessage = { [unowned call] message in
            guard let size = TestMessages.payloadSize(of: message) else {
                return call.finish(unreadable)
            }
            total += size
        }
        call.onHalfClose = { [unowned call] in
            var response = ProtoWriter()
            response.integer(1, total)
            call.send(response.bytes)
            call.finish()
        }
    }

    /// Streams what each request asks for: at once, or (half duplex) after the last request.
    private static func respond(_ call: RPCServerCall, whenComplete: Bool) {
        let responder = PacedResponder(call, trailers: echo(call))
        var held: [TestMessages.Request] = []
        call.onMessage = { [unowned call] message in
            guard let request = TestMessages.Request(message) else {
                return call.finish(unreadable)
            }
            if whenComplete { held.append(request) } else { responder.add(request) }
        }
        call.onHalfClose = {
            for request in held { responder.add(request) }
            responder.end()
        }
        call.onCancel = { _ in responder.stop() }
        call.onWritable = { responder.pump() }
    }
}

/// Sends responses in order, each after its interval, no faster than the client takes them.
private final class PacedResponder {
    private let call: RPCServerCall
    private let trailers: RPCMetadata
    private var queue: [(size: Int, interval: Int)] = []
    private var next = 0
    private var status: RPCStatus?
    private var isWaiting = false
    private var timer: TimerToken?

    init(_ call: RPCServerCall, trailers: RPCMetadata) {
        self.call = call
        self.trailers = trailers
    }

    func add(_ request: TestMessages.Request) {
        if let status = request.status, !status.isOK { self.status = status }
        queue += request.responses
        pump()
    }

    func end() {
        if status == nil { status = .ok }
        pump()
    }

    func stop() {
        if let timer = timer.take() { call.loop.cancel(timer) }
    }

    func pump() {
        while call.isOpen, !isWaiting, call.isWritable, next < queue.count {
            let (size, interval) = queue[next]
            next += 1
            guard interval > 0 else {
                call.send(TestMessages.withPayload(size))
                continue
            }
            isWaiting = true
            timer = call.loop.schedule(after: .microseconds(interval)) { [self] in
                isWaiting = false
                call.send(TestMessages.withPayload(size))
                pump()
            }
        }
        if call.isOpen, !isWaiting, next == queue.count, let status {
            call.finish(status, trailers: trailers)
        }
    }
}
