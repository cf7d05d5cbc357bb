import MillraceBase

/// The payloads of the block stream's control frames, to bytes and back.
enum BlockMessages {
    static let version: UInt8 = 1
    /// Bytes of a `block` frame before the block's own.
    static let blockHeadSize = 12

    static func hello(token: String?) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeByte(version)
        writer.writeString(token ?? "")
        return writer.bytes
    }

    /// The token, or the reason to refuse.
    static func readHello(_ payload: [UInt8]) throws(BlockError) -> String {
        do {
            var reader = ByteReader(payload)
            let version = try reader.readByte()
            guard version == self.version else {
                throw BlockError.refused(
                    "block stream version \(version), this side speaks \(self.version)")
            }
            return try reader.readString()
        } catch let error as BlockError {
            throw error
        } catch {
            throw .refused("not a greeting")
        }
    }

    static func fetch(_ requests: [BlockRequest]) -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + requests.count * 32)
        writer.writeCount(requests.count)
        for request in requests {
            writer.writeBytes(request.key)
            writer.writeVarint(request.offset)
            writer.writeVarint(request.length.map { $0 &+ 1 } ?? 0)
        }
        return writer.bytes
    }

    static func readFetch(_ payload: [UInt8], limit: Int) throws(NetError) -> [BlockRequest] {
        do {
            var reader = ByteReader(payload)
            let count = try reader.readVarint()
            guard count <= UInt64(limit) else {
                throw NetError.protocolViolation(
                    "a fetch of \(count) blocks is above the limit of \(limit)")
            }
            var requests: [BlockRequest] = []
            for _ in 0..<count {
                let key = try reader.readBytes()
                let offset = try reader.readVarint()
                let length = try reader.readVarint()
                requests.append(
                    BlockRequest(key: key, offset: offset, length: length == 0 ? nil : length - 1))
            }
            try reader.expectEnd()
            return requests
        } catch let error as NetError {
            throw error
        } catch {
            throw .protocolViolation("a fetch that cannot be read: \(error)")
        }
    }

    /// What stands in front of a block's first bytes: its index and its whole length.
    static func blockHead(index: Int, length: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: blockHeadSize)
        writer.writeFixed(UInt32(index))
        writer.writeFixed(length)
        return writer.bytes
    }

    static func readBlockHead(_ bytes: [UInt8]) -> (index: Int, length: UInt64) {
        bytes.withUnsafeBytes { bytes in
            (
                Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))),
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
            )
        }
    }

    static func failure(index: Int, _ error: BlockError) -> [UInt8] {
        let (code, words): (UInt8, String) =
            switch error {
            case .notFound(let words): (1, words)
            case .tooLarge(let words): (3, words)
            case .failed(let words): (2, words)
            default: (2, "\(error)")
            }
        var writer = ByteWriter()
        writer.writeCount(index)
        writer.writeByte(code)
        writer.writeString(words)
        return writer.bytes
    }

    static func readFailure(_ payload: [UInt8]) throws(NetError) -> (index: Int, error: BlockError)
    {
        do {
            var reader = ByteReader(payload)
            let index = Int(clamping: try reader.readVarint())
            let code = try reader.readByte()
            let words = try reader.readString()
            let error: BlockError =
                switch code {
                case 1: .notFound(words)
                case 3: .tooLarge(words)
                default: .failed(words)
                }
            return (index, error)
        } catch {
            throw .protocolViolation("a failure that cannot be read: \(error)")
        }
    }
}
