import MillraceBase
import MillraceNet

/// Reaches the shuffle services that merge. Nothing is tried again: what isn't pushed isn't merged,
/// and what cannot be read is read from the map outputs.
extension NetworkBlockFetcher: PushMerger {
    /// The service of the executor's host; it stays when the executor goes. On the loop.
    func add(_ executor: ExecutorID, service: Endpoint) { services[executor] = service }

    func start(_ name: String, part: Range<Int>?, at merger: ExecutorID) -> any BlockFetch {
        let request = BlockRequest(
            key: Array(name.utf8), offset: UInt64(part?.lowerBound ?? 0),
            length: part.map { UInt64($0.count) })
        return start(at: merger) { [self] service, limit, done in
            mergeClient.fetch(service, [request], deadline: limit) { _, result in done(result) }
        }
    }

    func push(_ bytes: [UInt8], to merger: ExecutorID) -> any BlockFetch {
        start(at: merger) { [self] service, limit, done in
            mergeClient.push(service, bytes, deadline: limit, onAnswer: done)
        }
    }

    private func start(
        at merger: ExecutorID,
        _ ask:
            @escaping @Sendable (
                Endpoint, Instant, @escaping (Result<[UInt8], BlockError>) -> Void
            ) -> MillraceNet.BlockFetch
    ) -> any BlockFetch {
        // It has a deadline, after which nobody waits either.
        let fetch = NetworkFetch(1, limit: deadline, sink: nil) { _ in }
        loop.post { [self] in
            guard let service = services[merger] else {
                return fetch.fail(
                    BlockFetchError(index: 0, message: "the host of \(merger) has no service"))
            }
            _ = ask(service, loop.now + deadline) { result in
                switch result {
                case .success(let bytes): fetch.accept(bytes, at: 0)
                case .failure(let error):
                    fetch.fail(BlockFetchError(index: 0, message: "\(error)"))
                }
            }
        }
        return fetch
    }
}
