import MillraceBase
import MillraceStore
import Synchronization

@testable import MillraceExecutor

/// What a test lets a shuffle service have, and how it answers.
final class FakeMerger: PushMerger {
    struct State {
        var served: [String: [UInt8]] = [:]
        /// Reads of this name and the ones after it fail.
        var failsFrom: Int?
        var reads: [String] = []
        var pushes: [(merger: ExecutorID, bytes: [UInt8])] = []
        /// Answers to pushes, in order; then 0.
        var answers: [Result<UInt8, BlockFetchError>] = []
    }
    let state = Mutex(State())

    func start(_ name: String, part: Range<Int>?, at merger: ExecutorID) -> any BlockFetch {
        state.withLock { state in
            let count = state.reads.count
            state.reads.append(name)
            guard let bytes = state.served[name], count < state.failsFrom ?? .max else {
                return Answer(.failure(BlockFetchError(index: 0, message: "no \(name)")))
            }
            let range = part.map { $0.clamped(to: bytes.indices) } ?? bytes.indices
            return Answer(.success(Array(bytes[range])))
        }
    }

    func push(_ bytes: [UInt8], to merger: ExecutorID) -> any BlockFetch {
        state.withLock { state in
            state.pushes.append((merger, bytes))
            let answer = state.answers.isEmpty ? .success(0) : state.answers.removeFirst()
            return Answer(answer.map { [$0] })
        }
    }

    private final class Answer: BlockFetch {
        let result: Result<[UInt8], BlockFetchError>
        init(_ result: Result<[UInt8], BlockFetchError>) { self.result = result }
        func wait() throws -> [[UInt8]] { [try result.get()] }
        func cancel() {}
    }
}
