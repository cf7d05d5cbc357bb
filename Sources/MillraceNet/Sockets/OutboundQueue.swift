import CLinux
import Glibc

/// Bytes on their way out, in order: small writes gathered in chunks, large ones kept as they are,
/// parts of files by reference.
///
/// One `writev` takes as many segments as the system allows; a file goes out by `sendfile`.
struct OutboundQueue {
    private enum Segment {
        case bytes([UInt8])
        /// A part of an array that others hold too.
        case slice(ArraySlice<UInt8>)
        case file(SharedFile, offset: UInt64, count: Int)
    }

    /// What a write came to.
    enum Progress: Equatable {
        /// Nothing is left.
        case drained
        /// The socket takes no more for now.
        case blocked
        case failed(Int32)
    }

    private static let chunkSize = 64 * 1024
    /// From this size on an array is queued as it is instead of copied.
    private static let ownSegmentSize = 16 * 1024
    private static let maxVectors = 64

    private var segments: [Segment] = []
    /// The first segment that is not yet sent, and how much of it is (files move their own offset).
    private var head = 0
    private var sentOfHead = 0
    /// The last segment may be appended to.
    private var isTailOpen = false
    /// Bytes that wait.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        count += bytes.count
        let last = segments.count - 1
        if isTailOpen, last >= head, case .bytes(var tail) = segments[last],
            tail.count + bytes.count <= Self.chunkSize
        {
            segments[last] = .bytes([])
            tail.append(contentsOf: bytes)
            segments[last] = .bytes(tail)
            return
        }
        segments.append(.bytes(Array(bytes)))
        isTailOpen = true
    }

    mutating func append(_ bytes: [UInt8]) {
        guard bytes.count >= Self.ownSegmentSize else {
            return bytes.withUnsafeBytes { append($0) }
        }
        count += bytes.count
        segments.append(.bytes(bytes))
        isTailOpen = false
    }

    mutating func append(_ slice: ArraySlice<UInt8>) {
        guard slice.count >= Self.ownSegmentSize else {
            return slice.withUnsafeBytes { append($0) }
        }
        count += slice.count
        segments.append(.slice(slice))
        isTailOpen = false
    }

    mutating func append(_ file: SharedFile, offset: UInt64, count fileCount: Int) {
        guard fileCount > 0 else { return }
        count += fileCount
        segments.append(.file(file, offset: offset, count: fileCount))
        isTailOpen = false
    }

    mutating func removeAll() {
        segments.removeAll()
        head = 0
        sentOfHead = 0
        count = 0
        isTailOpen = false
    }

    // MARK: - To a socket

    /// Writes until nothing is left or the socket is full.
    mutating func write(to descriptor: Int32) -> Progress {
        while count > 0 {
            let sent: Int
            if case .file(let file, let offset, let fileCount) = segments[head] {
                var position = off_t(offset)
                sent = sendfile(descriptor, file.raw, &position, min(fileCount, 1 << 30))
                // The file is shorter than it was when the block was promised.
                if sent == 0 { return .failed(EIO) }
            } else {
                sent = writeVector(descriptor)
            }
            if sent < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .blocked : .failed(errno)
            }
            consume(sent)
        }
        return .drained
    }

    /// The pointers stay valid although they leave their closures: the arrays are native buffers,
    /// held by `segments` and not changed before the call returns.
    private func writeVector(_ descriptor: Int32) -> Int {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.maxVectors) { vectors in
            var used = 0
            func add(_ buffer: UnsafeRawBufferPointer) {
                let skipped = used == 0 ? sentOfHead : 0
                let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress! + skipped)
                vectors.initializeElement(
                    at: used, to: iovec(iov_base: start, iov_len: buffer.count - skipped))
                used += 1
            }
            gathering: for segment in segments[head...].prefix(Self.maxVectors) {
                switch segment {
                case .bytes(let bytes): bytes.withUnsafeBytes(add)
                case .slice(let slice): slice.withUnsafeBytes(add)
                case .file: break gathering
                }
            }
            return writev(descriptor, vectors.baseAddress, Int32(used))
        }
    }

    // MARK: - To a codec

    /// Takes up to `buffer.count` bytes out, copying; reads files. How many it were, or -1 and
    /// errno.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < buffer.count, count > 0 {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let taken: Int
            switch segments[head] {
            case .bytes(let bytes): taken = bytes.withUnsafeBytes { copy($0, to: room) }
            case .slice(let slice): taken = slice.withUnsafeBytes { copy($0, to: room) }
            case .file(let file, let offset, let fileCount):
                taken = pread(file.raw, room.baseAddress, min(fileCount, room.count), off_t(offset))
                if taken == 0 { errno = EIO }
                if taken <= 0 { return filled > 0 ? filled : -1 }
            }
            consume(taken)
            filled += taken
        }
        return filled
    }

    /// What is unsent of the first segment, as much as there is room for.
    private func copy(
        _ segment: UnsafeRawBufferPointer, to room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let rest = UnsafeRawBufferPointer(rebasing: segment[sentOfHead...].prefix(room.count))
        room.copyMemory(from: rest)
        return rest.count
    }

    private mutating func consume(_ sent: Int) {
        count -= sent
        var rest = sent
        while rest > 0 {
            let available: Int
            switch segments[head] {
            case .bytes(let bytes): available = bytes.count - sentOfHead
            case .slice(let slice): available = slice.count - sentOfHead
            case .file(let file, let offset, let fileCount):
                guard rest >= fileCount else {
                    segments[head] = .file(
                        file, offset: offset + UInt64(rest), count: fileCount - rest)
                    return
                }
                available = fileCount
            }
            guard rest >= available else {
                sentOfHead += rest
                return
            }
            rest -= available
            advance()
        }
    }

    private mutating func advance() {
        segments[head] = .bytes([])
        head += 1
        sentOfHead = 0
        if head == segments.count {
            segments.removeAll(keepingCapacity: true)
            head = 0
            isTailOpen = false
        } else if head > 256, head * 2 > segments.count {
            segments.removeFirst(head)
            head = 0
        }
    }
}
