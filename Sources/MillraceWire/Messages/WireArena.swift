import CMillraceProto
import MillraceBase

/// Memory for the C structs of one message: allocated by moving a pointer, freed all at once by
/// `reset()`.
///
/// protobuf-c builds a message from many small allocations; one bump of a pointer each keeps
/// encoding and decoding of a batch of 64 tasks at a few microseconds. Belongs to one thread.
public final class WireArena {
    /// Large enough for a usual turn of the loop, small enough to keep one per connection.
    static let slabBytes = 64 * 1024

    private var slabs: [UnsafeMutableRawBufferPointer] = []
    private var oversized: [UnsafeMutableRawPointer] = []
    private var current = 0
    private var offset = 0
    private var table = ProtobufCAllocator()

    public init() {}

    deinit {
        reset()
        slabs.forEach { $0.deallocate() }
    }

    /// Forgets all that was allocated; keeps the slabs.
    public func reset() {
        oversized.forEach { $0.deallocate() }
        oversized.removeAll(keepingCapacity: true)
        current = 0
        offset = 0
    }

    /// Zeroed memory, aligned to 16 bytes, valid until `reset()`.
    func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let size = (count + 15) & ~15
        guard size <= Self.slabBytes else {
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            block.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            oversized.append(block)
            return block
        }
        if current < slabs.count, offset + size > Self.slabBytes {
            current += 1
            offset = 0
        }
        if current == slabs.count {
            slabs.append(.allocate(byteCount: Self.slabBytes, alignment: 16))
            offset = 0
        }
        // The slab exists and is not empty: it was made above or earlier.
        let block = slabs[current].baseAddress! + offset
        block.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        offset += size
        return block
    }

    func make<Struct>(_: Struct.Type, count: Int = 1) -> UnsafeMutablePointer<Struct> {
        allocate(MemoryLayout<Struct>.stride * max(count, 1)).assumingMemoryBound(to: Struct.self)
    }

    func string(_ string: String) -> UnsafeMutablePointer<CChar> {
        var string = string
        return string.withUTF8 { utf8 in
            let copy = allocate(utf8.count + 1)
            if let base = utf8.baseAddress { copy.copyMemory(from: base, byteCount: utf8.count) }
            return copy.assumingMemoryBound(to: CChar.self)
        }
    }

    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData { bytes.withUnsafeBytes(copy) }

    func bytes(_ bytes: ArraySlice<UInt8>) -> ProtobufCBinaryData { bytes.withUnsafeBytes(copy) }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
        guard let base = bytes.baseAddress, !bytes.isEmpty else {
            return ProtobufCBinaryData(len: 0, data: nil)
        }
        let copy = allocate(bytes.count)
        copy.copyMemory(from: base, byteCount: bytes.count)
        return ProtobufCBinaryData(len: bytes.count, data: copy.assumingMemoryBound(to: UInt8.self))
    }

    func numbers<Source: FixedWidthInteger, Target: FixedWidthInteger>(
        _ values: [Source], as _: Target.Type
    ) -> UnsafeMutablePointer<Target> {
        let copy = make(Target.self, count: values.count)
        for (index, value) in values.enumerated() {
            copy[index] = Target(truncatingIfNeeded: value)
        }
        return copy
    }

    /// A repeated message field: a pointer to each struct, filled in by `fill`.
    func repeated<Value, Struct>(
        _ values: [Value], _ type: Struct.Type,
        _ initialise: (UnsafeMutablePointer<Struct>) -> Void,
        _ fill: (Value, inout Struct) -> Void
    ) -> (count: Int, pointers: UnsafeMutablePointer<UnsafeMutablePointer<Struct>?>?) {
        guard !values.isEmpty else { return (0, nil) }
        let pointers = make(UnsafeMutablePointer<Struct>?.self, count: values.count)
        let structs = make(Struct.self, count: values.count)
        for index in values.indices {
            initialise(structs + index)
            fill(values[index], &structs[index])
            pointers[index] = structs + index
        }
        return (values.count, pointers)
    }

    /// What protobuf-c calls to build a decoded message; valid while the arena lives.
    func withAllocator<Result>(
        _ body: (UnsafeMutablePointer<ProtobufCAllocator>) throws -> Result
    ) rethrows -> Result {
        table.allocator_data = Unmanaged.passUnretained(self).toOpaque()
        table.alloc = { context, size in
            Unmanaged<WireArena>.fromOpaque(context!).takeUnretainedValue().allocate(size)
        }
        table.free = { _, _ in }
        return try withUnsafeMutablePointer(to: &table, body)
    }
}

extension Array where Element == UInt8 {
    init(_ data: ProtobufCBinaryData) {
        self = Array(UnsafeBufferPointer(start: data.data, count: data.len))
    }
}

/// Strings of a decoded message are NUL-terminated and already known to be there; bad UTF-8 is
/// repaired, not refused, because they are only shown.
func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
}
