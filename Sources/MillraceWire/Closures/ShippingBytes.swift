import MillraceBase

/// Writes values that refer to addresses of images. The images' build ids come first in the result,
/// each once.
struct ShippingWriter {
    var writer = ByteWriter()
    private var images: [Int] = []

    /// True when the address is in an image and was written.
    mutating func writeAddress(_ address: UnsafeRawPointer) -> Bool {
        guard let place = ImageTable.current.find(address)?.place else { return false }
        let number = images.firstIndex(of: place.image) ?? images.count
        if number == images.count { images.append(place.image) }
        writer.writeCount(number)
        writer.writeVarint(UInt64(place.offset))
        return true
    }

    /// {checksum, images, content}
    func finish() -> [UInt8] {
        var whole = ByteWriter(capacity: writer.count + 40)
        whole.writeCount(images.count)
        for image in images { whole.writeBytes(ImageTable.current.images[image].identity) }
        whole.writeRaw(writer.bytes)
        var result = ByteWriter(capacity: whole.count + 8)
        result.writeFixed(whole.bytes.withUnsafeBytes { StableBytes.hash($0) })
        result.writeRaw(whole.bytes)
        return result.bytes
    }
}

/// Reads what `ShippingWriter` wrote.
struct ShippingReader {
    var reader: ByteReader
    private var images: [Int] = []

    init(_ bytes: [UInt8]) throws {
        reader = ByteReader(bytes)
        let checksum: UInt64 = try reader.readFixed()
        let actual = bytes.withUnsafeBytes {
            StableBytes.hash(UnsafeRawBufferPointer(rebasing: $0.dropFirst(8)))
        }
        guard checksum == actual else { throw Self.corrupted("its checksum is wrong") }
        for _ in 0..<(try reader.readCount()) {
            let identity = try reader.readBytes()
            guard let image = ImageTable.current.image(withIdentity: identity) else {
                throw MillraceError(
                    .corruptData,
                    "a closure or type refers to the image with build id \(hex(identity)), which "
                        + "is not loaded here (this is \(ClosureCodec.buildIdentity)): driver and "
                        + "executors must run the same build")
            }
            images.append(image)
        }
    }

    mutating func readAddress(count: UInt, isExecutable: Bool) throws -> UnsafeRawPointer {
        let number = try reader.readVarint()
        let offset = try reader.readVarint()
        guard number < UInt64(images.count),
            let address = ImageTable.current.address(
                images[Int(number)], UInt(offset), count: count, isExecutable: isExecutable)
        else { throw Self.corrupted("it refers to an address outside of its image") }
        return address
    }

    static func corrupted(_ reason: String) -> MillraceError {
        MillraceError(.corruptData, "the bytes of a closure or type are damaged: \(reason)")
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
