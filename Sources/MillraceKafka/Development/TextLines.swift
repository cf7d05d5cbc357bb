import Glibc

/// The text that `kafka-produce` sends, as a sequence: line `n` goes to partition `n % partitions`,
/// with `n` (decimal) as its key and the text as its value.
///
/// The same on every run over the same files, so that an independent count can be made.
public struct TextLines: Sequence, Sendable {
    public static let defaultDirectory = "/usr/share/common-licenses"

    public struct Line: Sendable, Hashable {
        public var number: Int
        public var text: [UInt8]

        public init(number: Int, text: [UInt8]) {
            self.number = number
            self.text = text
        }
        /// The record's key: its number in decimal.
        public var key: [UInt8] { Array(String(number).utf8) }
        /// Where it goes among so many partitions.
        public func partition(of partitions: Int) -> Int32 { Int32(number % partitions) }
    }

    /// The lines that are repeated.
    public let lines: [[UInt8]]
    public let first: Int
    public let count: Int

    /// The regular files under `directory` (no links, no subdirectories) in the order of their
    /// names, their non-empty lines in order, over and over: `count` lines from number `first` on.
    /// Throws `.invalidOption` when there is no line.
    public init(
        directory: String = defaultDirectory, count: Int, from first: Int = 0
    ) throws(KafkaError) {
        guard count >= 0, first >= 0, !first.addingReportingOverflow(count).overflow else {
            throw KafkaError(.invalidOption, "\(count) lines from \(first) cannot be numbered")
        }
        var lines: [[UInt8]] = []
        for name in try regularFiles(in: directory) {
            let path = "\(directory)/\(name)"
            guard let bytes = contents(of: path) else {
                throw KafkaError(
                    .invalidOption, "cannot read \(path): \(String(cString: strerror(errno)))")
            }
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                let isBlank = line.allSatisfy {
                    $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0C
                }
                if !isBlank { lines.append(Array(line)) }
            }
        }
        guard !lines.isEmpty else {
            throw KafkaError(.invalidOption, "there is no line of text under \(directory)")
        }
        self.lines = lines
        self.first = first
        self.count = count
    }

    public struct Iterator: IteratorProtocol {
        let lines: [[UInt8]]
        var number: Int
        let end: Int

        public mutating func next() -> Line? {
            guard number < end else { return nil }
            defer { number += 1 }
            return Line(number: number, text: lines[number % lines.count])
        }
    }
    public func makeIterator() -> Iterator {
        Iterator(lines: lines, number: first, end: first + count)
    }
    public var underestimatedCount: Int { count }
}

private func regularFiles(in directory: String) throws(KafkaError) -> [String] {
    guard let stream = opendir(directory) else {
        throw KafkaError(
            .invalidOption, "cannot list \(directory): \(String(cString: strerror(errno)))")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        var information = stat()
        guard lstat("\(directory)/\(name)", &information) == 0 else { continue }
        if information.st_mode & S_IFMT == S_IFREG { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

private func contents(of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return nil }
        if count == 0 { return result }
        result.append(contentsOf: buffer[..<count])
    }
}
