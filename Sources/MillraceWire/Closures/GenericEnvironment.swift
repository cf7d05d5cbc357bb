/// Resolves mangled type names that mention generic parameters, given the parameters' values.
///
/// The standard library substitutes parameters if it is shown the descriptor of a generic context
/// and the arguments. Ours is made up: anonymous contexts, one within the other, with as many
/// parameters as needed.
struct GenericEnvironment {
    struct Parameter: Hashable {
        var depth: Int
        var index: Int

        init(depth: Int, index: Int) {
            self.depth = depth
            self.index = index
        }

        /// `x`, `q_`, `q0_` (depth 0), `qd__`, `qd_0_`, `qd0__` (deeper); nil for anything else.
        init?(mangled name: String) {
            if name == "x" {
                self.init(depth: 0, index: 0)
            } else if name.hasPrefix("qd") {
                var rest = name.dropFirst(2)
                guard let depth = Self.number(&rest), let index = Self.number(&rest), rest.isEmpty
                else { return nil }
                self.init(depth: depth + 1, index: index)
            } else if name.hasPrefix("q") {
                var rest = name.dropFirst()
                guard let index = Self.number(&rest), rest.isEmpty else { return nil }
                self.init(depth: 0, index: index + 1)
            } else {
                return nil
            }
        }

        /// `_` is 0, `0_` is 1.
        private static func number(_ text: inout Substring) -> Int? {
            guard let end = text.firstIndex(of: "_") else { return nil }
            let digits = text[..<end]
            text = text[text.index(after: end)...]
            if digits.isEmpty { return 0 }
            guard let value = Int(digits), value < 64 else { return nil }
            return value + 1
        }
    }

    private let counts: [Int]
    private let arguments: [Any.Type]

    /// Parameters that aren't given (because others determine them) are never mentioned; they get a
    /// filler.
    init(_ values: [Parameter: Any.Type]) {
        var counts: [Int] = []
        for parameter in values.keys {
            // An outer level's parameters may all be determined by others (`where Element == (Key,
            // Value)`); the runtime counts levels, so an empty one gets a filler.
            while counts.count <= parameter.depth { counts.append(1) }
            counts[parameter.depth] = max(counts[parameter.depth], parameter.index + 1)
        }
        self.counts = counts
        var arguments: [Any.Type] = []
        for (depth, count) in counts.enumerated() {
            for index in 0..<count {
                arguments.append(values[Parameter(depth: depth, index: index)] ?? Void.self)
            }
        }
        self.arguments = arguments
    }

    /// The type of that name, or nil. Names may hold references relative to where they are, hence
    /// the pointer.
    func type(named name: UnsafePointer<UInt8>, count: Int) -> Any.Type? {
        guard !counts.isEmpty else {
            return _getTypeByMangledNameInContext(
                name, UInt(count), genericContext: nil, genericArguments: nil)
        }
        return withContext { context in
            arguments.withUnsafeBytes {
                _getTypeByMangledNameInContext(
                    name, UInt(count), genericContext: context, genericArguments: $0.baseAddress)
            }
        }
    }

    /// A descriptor is {flags, parent, (parameters, requirements, key arguments, flags), a byte per
    /// parameter}. The outermost one is of a module {flags, parent, name}, because the runtime
    /// looks at every context's parent.
    private func withContext<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        let anonymous: UInt32 = 2
        let generic: UInt32 = 0x80
        let unique: UInt32 = 0x40
        let typeWithKeyArgument: UInt8 = 0x80
        let size = (16 + arguments.count + 7) & ~7
        let byteCount = size * (counts.count + 1)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        memory.storeBytes(of: unique, as: UInt32.self)
        // The name is the empty string behind it.
        memory.storeBytes(of: 4, toByteOffset: 8, as: Int32.self)
        var total = 0
        for (depth, count) in counts.enumerated() {
            total += count
            let descriptor = memory + size * (depth + 1)
            descriptor.storeBytes(of: anonymous | generic | unique, as: UInt32.self)
            descriptor.storeBytes(of: Int32(-size - 4), toByteOffset: 4, as: Int32.self)
            descriptor.storeBytes(of: UInt16(total), toByteOffset: 8, as: UInt16.self)
            descriptor.storeBytes(of: UInt16(total), toByteOffset: 12, as: UInt16.self)
            for index in 0..<total {
                descriptor.storeBytes(
                    of: typeWithKeyArgument, toByteOffset: 16 + index, as: UInt8.self)
            }
        }
        return body(UnsafeRawPointer(memory + size * counts.count))
    }

    /// The type made of a descriptor and arguments: its mangled name refers to the descriptor's
    /// address.
    static func type(_ descriptor: UnsafeRawPointer, levels: [Int], _ arguments: [Any.Type])
        -> Any.Type?
    {
        var suffix: [UInt8] = []
        if !levels.isEmpty {
            var next = 0
            for (level, count) in levels.enumerated() {
                suffix += Array((level == 0 ? "y" : "_").utf8)
                for _ in 0..<count {
                    suffix += Array(parameterName(next).utf8)
                    next += 1
                }
            }
            suffix += Array("G".utf8)
        }
        let indirectReference: UInt8 = 2
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: 16 + suffix.count + 8, alignment: 8)
        defer { memory.deallocate() }
        memory.storeBytes(of: descriptor, as: UnsafeRawPointer.self)
        memory.storeBytes(of: indirectReference, toByteOffset: 8, as: UInt8.self)
        memory.storeBytes(of: -9, toByteOffset: 9, as: Int32.self)
        for (index, byte) in suffix.enumerated() {
            memory.storeBytes(of: byte, toByteOffset: 13 + index, as: UInt8.self)
        }
        memory.storeBytes(of: 0, toByteOffset: 13 + suffix.count, as: UInt8.self)
        return environment(of: arguments).type(
            named: (memory + 8).assumingMemoryBound(to: UInt8.self), count: 5 + suffix.count)
    }

    static func tuple(_ elements: [Any.Type], labels: [String]) -> Any.Type? {
        var name = ""
        for index in elements.indices {
            name += parameterName(index)
            if !labels[index].isEmpty { name += "\(labels[index].utf8.count)\(labels[index])" }
            if index == 0 { name += "_" }
        }
        var bytes = Array((name + "t").utf8)
        bytes.append(0)
        return bytes.withUnsafeBufferPointer {
            environment(of: elements).type(named: $0.baseAddress!, count: bytes.count - 1)
        }
    }

    private static func environment(of arguments: [Any.Type]) -> GenericEnvironment {
        var values: [Parameter: Any.Type] = [:]
        for (index, type) in arguments.enumerated() {
            values[Parameter(depth: 0, index: index)] = type
        }
        return GenericEnvironment(values)
    }

    private static func parameterName(_ index: Int) -> String {
        switch index {
        case 0: "x"
        case 1: "q_"
        default: "q\(index - 2)_"
        }
    }
}
