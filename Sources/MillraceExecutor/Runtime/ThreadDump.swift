import Glibc

/// What the threads of this process do, as far as the kernel knows: of each its name, its state (R
/// runs, S sleeps, D hangs in the kernel) and the processor time it has had.
enum ThreadDump {
    static var text: String {
        guard let folder = opendir("/proc/self/task") else { return "unknown" }
        defer { closedir(folder) }
        var threads: [String] = []
        while let entry = readdir(folder) {
            let id = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let thread = Int(id).flatMap(describe) { threads.append(thread) }
        }
        return threads.joined(separator: ", ")
    }

    private static func describe(_ thread: Int) -> String? {
        guard let file = fopen("/proc/self/task/\(thread)/stat", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        guard fgets(&line, 1024, file) != nil else { return nil }
        let text = String(
            decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // "7 (name) S …": the name may hold anything, so the last parenthesis counts.
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[close...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
            return nil
        }
        let ticks = max(sysconf(Int32(_SC_CLK_TCK)), 1)
        let name = text[text.index(after: open)..<close]
        return "\(name) \(fields[1]) \((user + system) * 1000 / ticks) ms"
    }
}
