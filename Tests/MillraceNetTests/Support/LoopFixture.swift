import MillraceBase
import Synchronization

@testable import MillraceNet

/// What a test waits for: completed on the loop, once; later completions do not count.
final class Promise<Value: Sendable> {
    private var continuation: CheckedContinuation<Value, any Error>?
    private let loop: EventLoop
    private var timer: TimerToken?

    init(
        _ continuation: CheckedContinuation<Value, any Error>, _ loop: EventLoop, _ limit: Duration
    ) {
        self.continuation = continuation
        self.loop = loop
        timer = loop.schedule(after: limit) { self.fail(NetError.timedOut("the test")) }
    }

    func succeed(_ value: Value) { resume(.success(value)) }
    func fail(_ error: any Error) { resume(.failure(error)) }

    private func resume(_ result: Result<Value, any Error>) {
        guard let continuation = continuation.take() else { return }
        if let timer { loop.cancel(timer) }
        continuation.resume(with: result)
    }
}

/// Runs a test with a started loop, which is stopped and joined at its end.
func withLoop(_ body: (EventLoop) async throws -> Void) async throws {
    let loop = try EventLoop(name: "test")
    try loop.start()
    defer {
        loop.stop()
        loop.join()
    }
    try await body(loop)
}

extension EventLoop {
    /// Starts something on the loop and waits until its promise is kept (or broken, or 20 s are
    /// over).
    func wait<Value: Sendable>(
        _ type: Value.Type = Value.self, within limit: Duration = .seconds(20),
        _ body: @escaping @Sendable (Promise<Value>) throws -> Void
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            post {
                let promise = Promise(continuation, self, limit)
                do { try body(promise) } catch { promise.fail(error) }
            }
        }
    }
}
