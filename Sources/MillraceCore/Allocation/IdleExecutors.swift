import MillraceBase

/// Executors without tasks, the longest idle first. A list through a table by id: an executor that
/// loses its last task or gets its first one moves in a few nanoseconds, whoever else is there.
struct IdleExecutors: Sendable {
    private struct Link: Sendable {
        var since = Instant.zero
        var previous: Int32 = -1
        var next: Int32 = -1
        var isListed = false
        /// Taken off the list for having been idle long enough, and idle still.
        var isOverdue = false
    }

    private var links: [Link] = []
    private var first: Int32 = -1
    private var last: Int32 = -1
    /// Whether anybody wants to know.
    let isTracking: Bool
    /// The time of the core's step.
    var now = Instant.zero

    init(isTracking: Bool) { self.isTracking = isTracking }

    /// Since when the executor at the front is idle.
    var oldest: Instant? { first < 0 ? nil : links[Int(first)].since }

    /// When this executor's last task ended; for one that is idle.
    func since(_ executor: Int) -> Instant { links[executor].since }

    /// Whether it was taken by `popFirst` and has had no task since.
    func isOverdue(_ executor: Int) -> Bool { links[executor].isOverdue }

    /// The executor has nothing to do from now on.
    mutating func begin(_ executor: Int) {
        guard isTracking else { return }
        while links.count <= executor { links.append(Link()) }
        if links[executor].isListed { unlink(executor) }
        links[executor] = Link(since: now, previous: last, isListed: true)
        if last >= 0 { links[Int(last)].next = Int32(executor) } else { first = Int32(executor) }
        last = Int32(executor)
    }

    /// It has, or is gone.
    mutating func end(_ executor: Int) {
        guard isTracking, executor < links.count else { return }
        links[executor].isOverdue = false
        if links[executor].isListed { unlink(executor) }
    }

    /// Takes the first one off the list if it has been idle since that instant or longer.
    mutating func popFirst(idleSince instant: Instant) -> Int? {
        guard first >= 0, links[Int(first)].since <= instant else { return nil }
        let executor = Int(first)
        unlink(executor)
        links[executor].isOverdue = true
        return executor
    }

    private mutating func unlink(_ executor: Int) {
        let link = links[executor]
        if link.previous >= 0 {
            links[Int(link.previous)].next = link.next
        } else {
            first = link.next
        }
        if link.next >= 0 {
            links[Int(link.next)].previous = link.previous
        } else {
            last = link.previous
        }
        links[executor].isListed = false
    }
}
