import CZlib
import MillraceBase

/// The content of a gzip file: all its members one after the other (as `gzip -c a b` and log
/// rotation make them).
final class GzipBytes: ByteSource {
    private let compressed: any ByteSource
    private let path: String
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var position = 0
    /// Within a member; a file may end only between two.
    private var isInMember = true
    private static let outputSize = 256 << 10

    init(_ compressed: any ByteSource, path: String) throws {
        self.compressed = compressed
        self.path = path
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 window bits, plus 16 for a gzip header.
        let status = inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw MillraceError(.system, "zlib cannot start (\(status))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read() throws -> [UInt8] {
        while true {
            if position == input.count {
                input = try compressed.read()
                position = 0
                if input.isEmpty {
                    if isInMember { throw corrupt("it ends within a member") }
                    return []
                }
            }
            if !isInMember {
                // Padding with zeros between members and at the end is what tape and block tools
                // leave.
                while position < input.count, input[position] == 0 { position += 1 }
                if position == input.count { continue }
                guard inflateReset(stream) == Z_OK else { throw corrupt("reset failed") }
                isInMember = true
            }
            let output = try inflateMore()
            if !output.isEmpty { return output }
        }
    }

    private func inflateMore() throws -> [UInt8] {
        var status = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: GzipBytes.outputSize) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress! + position
                stream.pointee.avail_in = UInt32(input.count - position)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                status = inflate(stream, Z_NO_FLUSH)
                position = input.count - Int(stream.pointee.avail_in)
                count = output.count - Int(stream.pointee.avail_out)
            }
        }
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isInMember = false
        default:
            throw corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "zlib says \(status)")
        }
        return output
    }

    private func corrupt(_ why: String) -> MillraceError {
        MillraceError(.corruptData, "\(path) is not a whole gzip file: \(why)")
    }
}
