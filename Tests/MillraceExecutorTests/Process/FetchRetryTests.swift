import MillraceBase
import MillraceNet
import Testing

@testable import MillraceExecutor

/// Decided without a clock.
@Suite struct FetchRetryTests {
    private let away = BlockError.unavailable("10.0.0.1:7: connection refused")

    private func waits(_ retry: FetchRetry, timeLeft: Duration = .seconds(86_400)) -> [Duration] {
        var retry = retry
        var waits: [Duration] = []
        while case .again(let wait) = retry.failed(away, timeLeft: timeLeft) { waits.append(wait) }
        return waits
    }

    @Test("the waits grow, are as many as Spark's and take as long in all", arguments: 0...100)
    func waits(maxRetries: Int) {
        let waits = waits(FetchRetry(maxRetries: maxRetries, meanWait: .seconds(5)))
        #expect(waits.count == maxRetries)
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 })
        let difference = waits.reduce(.zero, +) - .seconds(5) * maxRetries
        // Each is cut to the nanosecond or below.
        #expect(abs(difference.nanoseconds) <= maxRetries)
    }

    @Test("with the defaults they are 1.1, 4.3 and 9.6 seconds")
    func defaults() throws {
        let waits = waits(FetchRetry(Conf()))
        #expect(waits.map { $0.nanoseconds / 100_000_000 } == [10, 42, 96])
    }

    @Test("says after how many attempts it gives up")
    func givesUp() {
        var retry = FetchRetry(maxRetries: 2, meanWait: .seconds(1))
        for _ in 0..<2 {
            guard case .again = retry.failed(away, timeLeft: .seconds(60)) else {
                Issue.record("no retry")
                return
            }
        }
        #expect(retry.failed(away, timeLeft: .seconds(60)) == .never(", after 3 attempts"))
    }

    @Test("does not wait for an attempt that the deadline leaves no time for")
    func deadline() {
        var retry = FetchRetry(maxRetries: 3, meanWait: .seconds(5))
        #expect(
            retry.failed(away, timeLeft: .seconds(1))
                == .never(", and there is no time for attempt 2"))
    }

    @Test("asks again after a broken connection and damaged bytes, not after an answer")
    func errors() {
        for error in [away, .corrupt("a frame's checksum is wrong")] {
            var retry = FetchRetry(maxRetries: 1, meanWait: .seconds(5))
            #expect(retry.failed(error, timeLeft: .seconds(60)) == .again(after: .seconds(5)))
        }
        let answers: [BlockError] = [
            .notFound("b"), .failed("f"), .tooLarge("t"), .refused("r"), .deadlineExceeded,
            .cancelled,
        ]
        for error in answers {
            var retry = FetchRetry(maxRetries: 1, meanWait: .seconds(5))
            #expect(retry.failed(error, timeLeft: .seconds(60)) == .never(""))
        }
    }
}
