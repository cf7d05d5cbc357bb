import MillraceBase
import MillraceNet

/// The cases of many requests or responses, and those that end early.
extension InteropRunner {
    private static let requestSizes = [27_182, 8, 1_828, 45_904]
    private static let responseSizes = [31_415, 9, 2_653, 58_979]

    func clientStreaming() {
        let call = channel.call("\(Self.service)/StreamingInputCall")
        var total: Int?
        call.onMessage = { message in
            total = (try? ProtoField.parse(message))?.last { $0.number == 1 }?.integer
        }
        call.onEnd = { status, _ in
            self.check(status.isOK, "\(status)")
            self.check(total == 74_922, "a sum of \(total ?? -1) instead of 74922")
            self.end(nil)
        }
        for size in Self.requestSizes { call.send(TestMessages.withPayload(size)) }
        call.halfClose()
    }

    func serverStreaming() {
        let call = channel.call("\(Self.service)/StreamingOutputCall")
        var sizes: [Int] = []
        call.onMessage = { sizes.append(TestMessages.payloadSize(of: $0) ?? -1) }
        call.onEnd = { status, _ in
            self.check(status.isOK, "\(status)")
            self.check(sizes == Self.responseSizes, "responses of \(sizes)")
            self.end(nil)
        }
        call.send(TestMessages.streaming(responses: Self.responseSizes))
        call.halfClose()
    }

    func pingPong() {
        let call = channel.call("\(Self.service)/FullDuplexCall")
        var turn = 0
        func ping() {
            call.send(
                TestMessages.streaming(
                    responses: [Self.responseSizes[turn]], payload: Self.requestSizes[turn]))
        }
        call.onMessage = { message in
            let size = TestMessages.payloadSize(of: message)
            self.check(size == Self.responseSizes[turn], "response \(turn) has \(size ?? -1) bytes")
            turn += 1
            if turn < Self.requestSizes.count { ping() } else { call.halfClose() }
        }
        call.onEnd = { status, _ in
            self.check(status.isOK, "\(status)")
            self.check(turn == Self.requestSizes.count, "\(turn) responses")
            self.end(nil)
        }
        ping()
    }

    func emptyStream() {
        let call = channel.call("\(Self.service)/FullDuplexCall")
        call.onMessage = { _ in self.end("a response to nothing") }
        call.onEnd = { status, _ in
            self.check(status.isOK, "\(status)")
            self.end(nil)
        }
        call.halfClose()
    }

    func timeoutOnSleepingServer() {
        let call = channel.call(
            "\(Self.service)/FullDuplexCall", deadline: loop.now + .milliseconds(1))
        call.onEnd = { status, _ in
            self.check(status.code == .deadlineExceeded, "\(status)")
            self.end(nil)
        }
        call.send(TestMessages.streaming(responses: [], payload: 27_182))
    }

    func cancelAfterBegin() {
        let call = channel.call("\(Self.service)/StreamingInputCall")
        call.onEnd = { status, _ in
            self.check(status.code == .cancelled, "\(status)")
            self.end(nil)
        }
        loop.post { [bound = LoopBound(call, loop: loop)] in bound.value.cancel() }
    }

    func cancelAfterFirstResponse() {
        let call = channel.call("\(Self.service)/FullDuplexCall")
        var responses = 0
        call.onMessage = { [unowned call] _ in
            responses += 1
            call.cancel()
        }
        call.onEnd = { status, _ in
            self.check(responses == 1, "\(responses) responses before the end")
            self.check(status.code == .cancelled, "\(status)")
            self.end(nil)
        }
        call.send(TestMessages.streaming(responses: [31_415], payload: 27_182))
    }
}
