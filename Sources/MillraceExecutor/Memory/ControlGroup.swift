import Glibc

/// The memory control group of a process, version 1 or 2.
///
/// A group's limit holds for all groups below it too, so the smallest one on the way to the root
/// counts. In a container the root of the hierarchy that is mounted is the container's own group,
/// and the path in /proc/self/cgroup may not exist under it; then the root is asked.
struct ControlGroup {
    enum Version { case one, two }

    let version: Version
    /// From the group to the root of what is mounted.
    private let folders: [String]

    /// The group in which this process is; nil when the system has none.
    static func ofThisProcess() -> ControlGroup? {
        readText("/proc/self/cgroup").flatMap { ControlGroup($0, mount: "/sys/fs/cgroup") }
    }

    /// `text` is a /proc/…/cgroup file. Version 1's memory controller comes first: where both are
    /// mounted, it is the one that limits.
    init?(_ text: String, mount: String) {
        var two: String?
        var one: String?
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1].split(separator: ",").contains("memory") { one = String(fields[2]) }
            if fields[0] == "0", fields[1].isEmpty { two = String(fields[2]) }
        }
        if let one {
            version = .one
            folders = Self.folders(one, root: mount + "/memory")
        } else if let two {
            version = .two
            folders = Self.folders(two, root: mount)
        } else {
            return nil
        }
    }

    private static func folders(_ path: String, root: String) -> [String] {
        var parts = path.split(separator: "/")
        var folders: [String] = []
        while !parts.isEmpty {
            folders.append(root + "/" + parts.joined(separator: "/"))
            parts.removeLast()
        }
        return folders + [root]
    }

    /// Bytes that the group may use; nil without a limit.
    var limit: Int? {
        let name = version == .one ? "memory.limit_in_bytes" : "memory.max"
        // Version 1 says "no limit" with a number near 2^63; version 2 with the word "max".
        return folders.compactMap { readNumber("\($0)/\(name)") }.min().flatMap {
            $0 < 1 << 60 ? $0 : nil
        }
    }

    /// Bytes that the group uses now, page cache included; nil when it cannot be read.
    var used: Int? {
        let name = version == .one ? "memory.usage_in_bytes" : "memory.current"
        for folder in folders {
            if let used = readNumber("\(folder)/\(name)") { return used }
        }
        return nil
    }
}

private func readNumber(_ path: String) -> Int? {
    guard let text = readText(path), let line = text.split(separator: "\n").first else {
        return nil
    }
    return Int(line)
}

/// A small file of the kernel's; nil when it cannot be read.
private func readText(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
        let count = read(file, buffer.baseAddress, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<count]), as: UTF8.self)
    }
}
