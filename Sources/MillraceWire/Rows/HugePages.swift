import Glibc

/// Large buffers on huge pages.
public enum HugePages {
    /// Smaller buffers are not worth a system call.
    @usableFromInline static let least = 4 << 20
    private static let page = 4096

    /// Asks the kernel for huge pages under a buffer that is about to be filled: a first touch then
    /// faults once per 2 MiB instead of 512 times, which is most of what filling fresh memory
    /// costs. Only advice: nothing changes where the kernel has none.
    public static func advise(_ buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count >= least, let base = buffer.baseAddress else { return }
        let start = (Int(bitPattern: base) + page - 1) & ~(page - 1)
        let end = (Int(bitPattern: base) + buffer.count) & ~(page - 1)
        madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_HUGEPAGE)
    }

    /// Uninitialised memory for so many elements.
    @inlinable public static func allocate<Element>(
        capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        let start = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        advise(
            UnsafeMutableRawBufferPointer(
                UnsafeMutableBufferPointer(start: start, count: capacity)))
        return start
    }
}
