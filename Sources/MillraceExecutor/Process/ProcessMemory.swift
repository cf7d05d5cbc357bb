import CLinux
import Glibc

/// What the kernel says of this process's memory.
enum ProcessMemory {
    /// Gives the system back what is free between allocations: after much was freed at once, which
    /// others are granted now.
    static func returnFreed() { clinux_return_freed() }

    /// Resident set size; 0 when /proc cannot be read.
    static func residentBytes() -> UInt64 {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        let fields = buffer[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = UInt64(String(decoding: fields[1], as: UTF8.self))
        else {
            return 0
        }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
