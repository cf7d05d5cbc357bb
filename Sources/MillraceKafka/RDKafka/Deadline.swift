import Glibc
import MillraceBase

/// A point on the monotonic clock that a blocking call may not pass.
struct Deadline {
    let end: Instant

    init(after duration: Duration) { end = Self.now + duration }

    var remaining: Duration { end - Self.now }
    var isPast: Bool { Self.now >= end }
    /// What is left in whole milliseconds, at least 1 while there is time, for librdkafka's
    /// timeouts. 0 when past; never negative, which would mean "forever".
    func milliseconds(atMost limit: Int = Int(Int32.max)) -> Int32 {
        let left = remaining.nanoseconds
        guard left > 0 else { return 0 }
        return Int32(clamping: min((left - 1) / 1_000_000 + 1, Int64(limit)))
    }

    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(
            nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
