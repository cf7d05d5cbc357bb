import Synchronization

/// A place that is filled once, by one thread, and read by many.
final class SetOnce<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)

    init() {}

    func set(_ value: Value) {
        stored.withLock { stored in
            precondition(stored == nil, "set twice")
            stored = value
        }
    }

    var value: Value? { stored.withLock { $0 } }
}
