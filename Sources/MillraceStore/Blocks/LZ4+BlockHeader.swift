import MillraceBase

extension LZ4 {
    /// Appends the raw bytes as one self-describing block where that is an eighth less. Otherwise
    /// nothing is appended: the header comes back under which they are a block as they are.
    public static func appendBlock(
        _ raw: ArraySlice<UInt8>, ifSmaller output: inout [UInt8]
    ) -> BlockHeader? {
        raw.withUnsafeBytes { raw in
            var isSmaller = false
            let limit = raw.count - raw.count / 8 - 1
            output.append(addingCapacity: headerSize + max(limit, 0)) { room in
                room.withUnsafeMutableBufferPointer { target, count in
                    let start = UnsafeMutableRawPointer(target.baseAddress! + count)
                    let size = compress(raw, to: start + headerSize, limit: limit)
                    let stored = UnsafeRawBufferPointer(start: start + headerSize, count: size)
                    guard size > 0 else { return }
                    BlockHeader(isCompressed: true, rawSize: raw.count, stored: stored)
                        .write(to: start)
                    count += headerSize + size
                    isSmaller = true
                }
            }
            return isSmaller
                ? nil : BlockHeader(isCompressed: false, rawSize: raw.count, stored: raw)
        }
    }

    /// The first bytes of a self-describing block: what follows them.
    public struct BlockHeader: Sendable {
        /// Under which these bytes are a block as they are.
        public init(storing raw: ArraySlice<UInt8>) {
            self = raw.withUnsafeBytes {
                BlockHeader(isCompressed: false, rawSize: $0.count, stored: $0)
            }
        }

        public let isCompressed: Bool
        public let rawSize: Int
        public let storedSize: Int
        /// Of the header before it and the stored bytes.
        public let checksum: UInt32

        init(isCompressed: Bool, rawSize: Int, stored: UnsafeRawBufferPointer) {
            self.isCompressed = isCompressed
            self.rawSize = rawSize
            storedSize = stored.count
            var sum = Self.checksum(isCompressed, rawSize, stored.count)
            sum.update(stored)
            checksum = sum.value
        }

        /// `bytes` are `headerSize`. Throws what is wrong with them.
        public init(_ bytes: [UInt8]) throws(ByteError) {
            func word(_ offset: Int) -> UInt32 {
                bytes.withUnsafeBytes {
                    UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                }
            }
            isCompressed = bytes[0] == 1
            (rawSize, storedSize, checksum) = (Int(word(1)), Int(word(5)), word(9))
            guard isCompressed || (bytes[0] == 0 && rawSize == storedSize) else {
                throw ByteError(offset: 0, reason: "\(bytes[0]) is no method of a block")
            }
        }

        /// The checksum of the header alone, to be continued with the stored bytes.
        public var checksumStart: CRC32C { Self.checksum(isCompressed, rawSize, storedSize) }

        public var bytes: [UInt8] {
            [UInt8](unsafeUninitializedCapacity: headerSize) { buffer, count in
                write(to: UnsafeMutableRawPointer(buffer.baseAddress!))  // it has room
                count = headerSize
            }
        }

        func write(to target: UnsafeMutableRawPointer) {
            target.storeBytes(of: isCompressed ? 1 : 0, as: UInt8.self)
            target.storeBytes(of: UInt32(rawSize).littleEndian, toByteOffset: 1, as: UInt32.self)
            target.storeBytes(of: UInt32(storedSize).littleEndian, toByteOffset: 5, as: UInt32.self)
            target.storeBytes(of: checksum.littleEndian, toByteOffset: 9, as: UInt32.self)
        }

        private static func checksum(
            _ isCompressed: Bool, _ rawSize: Int, _ storedSize: Int
        ) -> CRC32C {
            var sum = CRC32C()
            withUnsafeTemporaryAllocation(byteCount: 9, alignment: 1) { header in
                header[0] = isCompressed ? 1 : 0
                header.storeBytes(
                    of: UInt32(rawSize).littleEndian, toByteOffset: 1, as: UInt32.self)
                header.storeBytes(
                    of: UInt32(storedSize).littleEndian, toByteOffset: 5, as: UInt32.self)
                sum.update(UnsafeRawBufferPointer(header))
            }
            return sum
        }
    }
}
