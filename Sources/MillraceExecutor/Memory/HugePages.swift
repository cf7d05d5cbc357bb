import Glibc

/// Large buffers on huge pages.
enum HugePages {
    /// Smaller buffers are not worth a system call.
    private static let least = 4 << 20
    private static let page = 4096

    /// Asks the kernel for huge pages under a buffer that is about to be filled: a first touch then
    /// faults once per 2 MiB instead of 512 times, which is most of what filling fresh memory
    /// costs. Only advice: nothing changes where the kernel has none.
    static func advise(_ buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count >= least, let base = buffer.baseAddress else { return }
        let start = (Int(bitPattern: base) + page - 1) & ~(page - 1)
        let end = (Int(bitPattern: base) + buffer.count) & ~(page - 1)
        madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_HUGEPAGE)
    }
}
