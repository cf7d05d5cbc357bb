import MillraceBase
import MillraceNet

/// Whether and when what did not come from a peer is asked for again. Knows no clock.
///
/// As often as Spark (`maxRetries`) and over as long a time in all (`maxRetries` × `retryWait`, so
/// who set the two to outlast the restart of a shuffle service outlasts it here), but the waits
/// grow with the square of their number: most connections that break can be made again at once,
/// and only a peer that is really away is worth a long wait. With the defaults 1.1, 4.3 and 9.6
/// seconds in place of three times 5.
struct FetchRetry: Equatable, Sendable {
    enum Decision: Equatable {
        case again(after: Duration)
        /// What failed is the fetch's end; why there is no other attempt.
        case never(String)
    }

    /// `millrace.shuffle.fetch.maxRetries` and `.retryWait`.
    let maxRetries: Int
    let meanWait: Duration
    private(set) var attempts = 0

    init(maxRetries: Int, meanWait: Duration) {
        self.maxRetries = maxRetries
        self.meanWait = meanWait
    }

    init(_ conf: Conf) {
        self.init(maxRetries: conf.shuffle.maxFetchRetries, meanWait: conf.shuffle.fetchRetryWait)
    }

    /// One more attempt has failed; `timeLeft` is what the fetch's deadline leaves.
    mutating func failed(_ error: BlockError, timeLeft: Duration) -> Decision {
        attempts += 1
        guard Self.isWorthRetrying(error) else { return .never("") }
        guard attempts <= maxRetries else {
            return .never(attempts == 1 ? "" : ", after \(attempts) attempts")
        }
        let wait = wait(before: attempts)
        guard wait < timeLeft else {
            return .never(", and there is no time for attempt \(attempts + 1)")
        }
        return .again(after: wait)
    }

    /// The squares of the numbers up to n add up to n(n+1)(2n+1)/6.
    private func wait(before retry: Int) -> Duration {
        meanWait * (6 * retry * retry) / ((maxRetries + 1) * (2 * maxRetries + 1))
    }

    /// What another connection may bring. A peer that answers "no" says so again.
    private static func isWorthRetrying(_ error: BlockError) -> Bool {
        switch error {
        case .unavailable, .corrupt: true
        case .notFound, .failed, .tooLarge, .refused, .deadlineExceeded, .cancelled: false
        }
    }
}
