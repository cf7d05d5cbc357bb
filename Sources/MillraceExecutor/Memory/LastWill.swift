import Glibc
import MillraceBase
import MillraceNet

/// One line about this process's memory, written anew each second to a file beside its shuffle
/// files, so that whoever started it can say what filled the memory when the kernel has killed it
/// without a word. Loop-owned.
///
/// The file's content is in the page cache as soon as it is written, and outlives the process.
final class LastWill {
    private let loop: EventLoop
    private let memory: MemoryManager
    private let group = ControlGroup.ofThisProcess()
    private let file: Int32
    private var isAboveLimit = false

    private static let interval = Duration.seconds(1)

    /// Writes until the loop ends, whose timer keeps it. A file that cannot be made is said and
    /// costs nothing but the line.
    static func keep(at path: String, loop: EventLoop, memory: MemoryManager) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            let reason = String(cString: strerror(errno))
            Log.warn("executor", "cannot write the last will", ["path": path, "reason": reason])
            return
        }
        LastWill(file, loop: loop, memory: memory).write()
    }

    private init(_ file: Int32, loop: EventLoop, memory: MemoryManager) {
        self.file = file
        self.loop = loop
        self.memory = memory
    }

    deinit { close(file) }

    private func write() {
        let resident = Int(clamping: ProcessMemory.residentBytes())
        let line = Self.line(resident: resident, group: group?.used, memory.ledger())
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        if pwrite(file, bytes, bytes.count, 0) == bytes.count { ftruncate(file, bytes.count) }
        warn(resident, line)
        _ = loop.schedule(after: Self.interval) { [self] in write() }
    }

    /// Once each time the limit is passed: nothing but a control group enforces it.
    private func warn(_ resident: Int, _ line: String) {
        let isAbove = resident > memory.limit.bytes
        if isAbove, !isAboveLimit {
            Log.warn("executor", "more memory is used than was promised", ["memory": line])
        }
        isAboveLimit = isAbove
    }

    static func line(resident: Int, group: Int?, _ ledger: MemoryLedger) -> String {
        var line = "resident \(MemoryText.size(resident)) of \(ledger.limit)"
        if ledger.limit.source == .controlGroup, let group {
            line += ", \(MemoryText.size(group)) in all of the group"
        }
        return "\(line); \(ledger)"
    }
}
