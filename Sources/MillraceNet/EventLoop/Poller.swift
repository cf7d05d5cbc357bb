import CLinux
import Glibc

/// Is told that its descriptor is ready. `events` is a set of `Poller.readable`, `.writable`,
/// `.hangup`.
protocol ReadinessHandler: AnyObject {
    func ready(_ events: UInt32)
    /// The loop ends, on its thread: let go of what you hold.
    func loopStopped()
}

/// A descriptor in the poller's table.
struct Registration: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    var token: UInt64 { UInt64(slot) << 32 | UInt64(generation) }
}

/// epoll, and the table of who waits for what.
///
/// The event carries slot and generation, not a pointer: an event that was already on its way for a
/// descriptor that has been closed (and its number perhaps reused) finds another generation and is
/// dropped.
struct Poller: ~Copyable {
    static let readable = EPOLLIN.rawValue
    static let writable = EPOLLOUT.rawValue
    static let hangup = EPOLLHUP.rawValue | EPOLLERR.rawValue
    /// Slots of the table start at 0 and never get this far.
    static let wakeToken = UInt64.max
    static let timerToken = UInt64.max - 1

    private struct Entry {
        var descriptor: Int32
        var generation: UInt32
        var events: UInt32
        var handler: (any ReadinessHandler)?
    }

    private let descriptor: FileDescriptor
    private var entries: [Entry] = []
    private var free: [UInt32] = []
    private var ready = [epoll_event](repeating: epoll_event(), count: 256)

    init() throws(NetError) {
        let raw = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard raw >= 0 else { throw NetError.last("epoll_create1") }
        descriptor = FileDescriptor(owning: raw)
    }

    /// The number of descriptors that are registered, without the loop's own.
    var count: Int { entries.count - free.count }

    mutating func add(_ raw: Int32, events: UInt32, token: UInt64) throws(NetError) {
        var event = epoll_event(events: events, data: epoll_data_t(u64: token))
        guard epoll_ctl(descriptor.raw, EPOLL_CTL_ADD, raw, &event) == 0 else {
            throw NetError.last("epoll_ctl")
        }
    }

    mutating func register(
        _ raw: Int32, _ handler: any ReadinessHandler, events: UInt32
    ) throws(NetError) -> Registration {
        let slot: UInt32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = UInt32(entries.count)
            entries.append(Entry(descriptor: -1, generation: 0, events: 0, handler: nil))
        }
        let generation = entries[Int(slot)].generation &+ 1
        let registration = Registration(slot: slot, generation: generation)
        do throws(NetError) {
            try add(raw, events: events, token: registration.token)
        } catch {
            free.append(slot)
            throw error
        }
        entries[Int(slot)] = Entry(
            descriptor: raw, generation: generation, events: events, handler: handler)
        return registration
    }

    mutating func update(_ registration: Registration, events: UInt32) {
        let slot = Int(registration.slot)
        guard entries[slot].generation == registration.generation, entries[slot].handler != nil
        else { return }
        guard entries[slot].events != events else { return }
        entries[slot].events = events
        var event = epoll_event(events: events, data: epoll_data_t(u64: registration.token))
        let result = epoll_ctl(descriptor.raw, EPOLL_CTL_MOD, entries[slot].descriptor, &event)
        precondition(
            result == 0, "epoll_ctl on a descriptor that was closed before it was unregistered")
    }

    /// Before the descriptor is closed.
    mutating func unregister(_ registration: Registration) {
        let slot = Int(registration.slot)
        guard entries[slot].generation == registration.generation, entries[slot].handler != nil
        else { return }
        var event = epoll_event()
        _ = epoll_ctl(descriptor.raw, EPOLL_CTL_DEL, entries[slot].descriptor, &event)
        entries[slot].handler = nil
        free.append(registration.slot)
    }

    /// Everybody who is registered, for the loop's end.
    var handlers: [any ReadinessHandler] { entries.compactMap(\.handler) }

    mutating func removeAll() {
        for slot in entries.indices where entries[slot].handler != nil {
            unregister(Registration(slot: UInt32(slot), generation: entries[slot].generation))
        }
    }

    /// Waits; the number of events that `event(at:)` then gives.
    @inline(never)
    mutating func wait(milliseconds: Int32) -> Int {
        let count = ready.withUnsafeMutableBufferPointer { buffer in
            epoll_wait(descriptor.raw, buffer.baseAddress, Int32(buffer.count), milliseconds)
        }
        precondition(count >= 0 || errno == EINTR, "epoll_wait failed")
        return max(0, Int(count))
    }

    func event(at index: Int) -> (token: UInt64, events: UInt32) {
        (ready[index].data.u64, ready[index].events)
    }

    /// Who is registered under that token now; nil when the event is stale.
    func handler(for token: UInt64) -> (any ReadinessHandler)? {
        let slot = Int(token >> 32)
        guard slot < entries.count, entries[slot].generation == UInt32(truncatingIfNeeded: token)
        else { return nil }
        return entries[slot].handler
    }
}
