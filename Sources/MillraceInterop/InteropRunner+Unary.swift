import MillraceBase
import MillraceNet

/// The cases of one request and one response.
extension InteropRunner {
    func emptyUnary() {
        unary("\(Self.service)/EmptyCall", []) { outcome in
            self.check(outcome.status.isOK, "\(outcome.status)")
            self.check(
                outcome.responses == [[]], "\(outcome.responses.count) responses, or not empty")
            self.end(nil)
        }
    }

    func largeUnary(_ channel: RPCChannel, _ completion: @escaping (String?) -> Void) {
        let request = TestMessages.simple(responseSize: 314_159, payload: 271_828)
        channel.unary("\(Self.service)/UnaryCall", request, deadline: nil) { result in
            switch result {
            case .success(let response):
                let size = TestMessages.payloadSize(of: response)
                completion(
                    size == 314_159 ? nil : "a payload of \(size ?? -1) bytes instead of 314159")
            case .failure(let status): completion("\(status)")
            }
        }
    }

    func statusMessage(_ message: String, streamingToo: Bool) {
        let wanted = RPCStatus(.unknown, message)
        unary("\(Self.service)/UnaryCall", TestMessages.simple(status: wanted)) { outcome in
            self.check(outcome.status == wanted, "unary: \(outcome.status)")
            guard streamingToo else { return self.end(nil) }
            let call = self.channel.call("\(Self.service)/FullDuplexCall")
            call.onEnd = { status, _ in
                self.check(status == wanted, "streaming: \(status)")
                self.end(nil)
            }
            call.send(TestMessages.streaming(responses: [], status: wanted))
            call.halfClose()
        }
    }

    func customMetadata() {
        var metadata: RPCMetadata = ["x-grpc-test-echo-initial": "test_initial_metadata_value"]
        metadata.append("x-grpc-test-echo-trailing-bin", bytes: [0xAB, 0xAB, 0xAB])
        func check(_ kind: String, _ outcome: UnaryOutcome) {
            self.check(outcome.status.isOK, "\(kind): \(outcome.status)")
            let initial = outcome.initial["x-grpc-test-echo-initial"]
            self.check(
                initial == "test_initial_metadata_value",
                "\(kind): initial metadata \(initial ?? "missing")")
            let trailing = outcome.trailers.bytes("x-grpc-test-echo-trailing-bin")
            self.check(
                trailing == [0xAB, 0xAB, 0xAB], "\(kind): trailing metadata \(trailing ?? [])")
        }
        let request = TestMessages.simple(responseSize: 314_159, payload: 271_828)
        unary("\(Self.service)/UnaryCall", request, metadata: metadata) { outcome in
            check("unary", outcome)
            let request = TestMessages.streaming(responses: [314_159], payload: 271_828)
            self.unary("\(Self.service)/FullDuplexCall", request, metadata: metadata) { outcome in
                check("streaming", outcome)
                self.end(nil)
            }
        }
    }

    func expectUnimplemented(_ method: String) {
        unary(method, []) { outcome in
            self.check(outcome.status.code == .unimplemented, "\(outcome.status)")
            self.end(nil)
        }
    }

    /// The same large call again and again, one after another.
    func soak(newChannels: Bool) {
        var left = count
        func next() {
            guard left > 0 else { return end(nil) }
            left -= 1
            if newChannels { renewChannel() }
            largeUnary(channel) { failure in
                if let failure { return self.end("call \(self.count - left): \(failure)") }
                next()
            }
        }
        next()
    }
}
