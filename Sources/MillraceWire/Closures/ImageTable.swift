import CLinux
import MillraceBase

/// The executable and shared libraries of this process, so that an address can be said as (build
/// id, offset) and found again where the loader has put the same image elsewhere.
///
/// Built once, from `dl_iterate_phdr`; libraries that are opened later are not in it.
struct ImageTable: Sendable {
    struct Segment: Sendable {
        var start: UInt
        var end: UInt
        var isExecutable: Bool
    }
    struct Image: Sendable {
        var identity: [UInt8]
        var base: UInt
        var segments: [Segment]
    }
    /// Where an address is: the number of an image, and the distance from its base.
    struct Place: Hashable {
        var image: Int
        var offset: UInt
    }

    /// The executable comes first.
    let images: [Image]

    static let current = ImageTable()

    private init() {
        final class Found { var images: [Image] = [] }
        let found = Found()
        clinux_visit_segments(
            { context, segment in
                let found = Unmanaged<Found>.fromOpaque(context).takeUnretainedValue()
                while found.images.count <= Int(segment.image) {
                    found.images.append(Image(identity: [], base: UInt(segment.base), segments: []))
                }
                found.images[Int(segment.image)].add(segment)
            }, Unmanaged.passUnretained(found).toOpaque())
        for index in found.images.indices where found.images[index].identity.isEmpty {
            found.images[index].identity = found.images[index].hashOfCode()
        }
        images = found.images
    }

    func find(_ address: UnsafeRawPointer) -> (place: Place, segment: Segment)? {
        let address = UInt(bitPattern: address)
        for (index, image) in images.enumerated() {
            for segment in image.segments where segment.start <= address && address < segment.end {
                return (Place(image: index, offset: address &- image.base), segment)
            }
        }
        return nil
    }

    func contains(_ address: UnsafeRawPointer) -> Bool { find(address) != nil }

    /// The address of `count` bytes at an offset, if the image has them (in code, or outside of
    /// code).
    func address(_ image: Int, _ offset: UInt, count: UInt, isExecutable: Bool) -> UnsafeRawPointer?
    {
        let (address, overflow) = images[image].base.addingReportingOverflow(offset)
        if overflow { return nil }
        for segment in images[image].segments where segment.isExecutable == isExecutable {
            if segment.start <= address, address < segment.end, segment.end - address >= count {
                return UnsafeRawPointer(bitPattern: address)
            }
        }
        return nil
    }

    func image(withIdentity identity: [UInt8]) -> Int? {
        images.firstIndex { $0.identity == identity }
    }
}

extension ImageTable.Image {
    fileprivate mutating func add(_ segment: clinux_segment) {
        let start = UInt(segment.start)
        if segment.is_note == 0 {
            let end = start &+ UInt(segment.size)
            segments.append(
                ImageTable.Segment(start: start, end: end, isExecutable: segment.is_executable != 0)
            )
        } else if identity.isEmpty {
            let note = UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: start), count: Int(segment.size))
            identity = buildID(in: note) ?? []
        }
    }

    /// What names an image that was linked without a build id: its code holds no relocated
    /// addresses.
    fileprivate func hashOfCode() -> [UInt8] {
        var hasher = SHA256()
        for segment in segments where segment.isExecutable {
            hasher.update(
                UnsafeRawBufferPointer(
                    start: UnsafeRawPointer(bitPattern: segment.start),
                    count: Int(segment.end - segment.start)))
        }
        return Array(hasher.finish().prefix(20))
    }
}

/// The descriptor of the note named "GNU" of type 3. Notes are {name size, descriptor size, type,
/// name, descriptor}, each padded to 4 bytes.
private func buildID(in notes: UnsafeRawBufferPointer) -> [UInt8]? {
    func word(_ offset: Int) -> Int {
        Int(notes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    func padded(_ size: Int) -> Int { (size + 3) & ~3 }
    var offset = 0
    while offset + 12 <= notes.count {
        let (nameSize, size, type) = (word(offset), word(offset + 4), word(offset + 8))
        let name = offset + 12
        let start = name + padded(nameSize)
        guard start + size <= notes.count else { return nil }
        if type == 3, nameSize == 4, notes[name..<name + 4].elementsEqual(Array("GNU\0".utf8)) {
            return Array(notes[start..<start + size])
        }
        offset = start + padded(size)
    }
    return nil
}
