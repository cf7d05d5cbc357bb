import MillraceBase

/// What is in a closure's context, by its capture descriptor.
///
/// A context is {metadata, reference count, bindings..., captures...}. Its metadata is {0x400,
/// offset of the first binding, descriptor}; the descriptor is {captures, sources, bindings}, then
/// a relative pointer to the mangled type name of each capture, then for each generic parameter the
/// pair (its name, where its value comes from).
struct CaptureLayout {
    struct Name {
        var start: UnsafePointer<UInt8>
        var count: Int
        var text: String {
            String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }
        /// Names of weak and unowned storage say so at their end.
        var isWeak: Bool { ["Xw", "Xo", "Xu"].contains { text.hasSuffix($0) } }

        /// The name that a relative pointer leads to. It may hold references: a byte up to 0x17 and
        /// 4 bytes, or up to 0x1F and 8 bytes. It ends with 0.
        init(_ field: UnsafeRawPointer) {
            start = (field + Int(field.load(as: Int32.self))).assumingMemoryBound(to: UInt8.self)
            count = 0
            while start[count] != 0 {
                count += start[count] <= 0x17 ? 5 : start[count] <= 0x1F ? 9 : 1
            }
        }
    }
    enum Capture {
        case value(Any.Type)
        /// A value whose type has no metadata.
        case stored(StoredType)
        case function
        /// A function or nil.
        case optionalFunction
        /// Cannot travel, and why.
        case refused(String)
    }

    let firstOffset: Int
    let bindingCount: Int
    private let captures: [Name]
    /// The generic parameter whose type is in a binding, by binding.
    let parameters: [Int: GenericEnvironment.Parameter]
    /// Parameters whose types are somewhere else, by their names.
    let foreignSources: [String]

    var captureCount: Int { captures.count }

    /// Nil when the metadata has no descriptor. Reads only memory of images.
    init?(metadata: UnsafeRawPointer) {
        guard let descriptor = metadata.load(fromByteOffset: 16, as: UnsafeRawPointer?.self),
            ImageTable.current.contains(descriptor)
        else { return nil }
        let counts = (0..<3).map { Int(descriptor.load(fromByteOffset: 4 * $0, as: UInt32.self)) }
        // Far more than any closure has: damaged references must not make us read on and on.
        guard counts.allSatisfy({ $0 <= 1024 }),
            ImageTable.current.contains(descriptor + 12 + 4 * counts[0] + 8 * counts[1])
        else { return nil }
        firstOffset = Int(metadata.load(fromByteOffset: 8, as: UInt32.self))
        bindingCount = counts[2]
        let records = descriptor + 12
        captures = (0..<counts[0]).map { Name(records + 4 * $0) }
        let sources = records + 4 * counts[0]
        var parameters: [Int: GenericEnvironment.Parameter] = [:]
        var foreign: [String] = []
        for index in 0..<counts[1] {
            let parameter = Name(sources + 8 * index).text
            let source = Name(sources + 8 * index + 4).text
            if source.hasPrefix("B"), let binding = Int(source.dropFirst().prefix { $0 != "_" }),
                let parameter = GenericEnvironment.Parameter(mangled: parameter)
            {
                parameters[binding] = parameter
            } else {
                foreign.append("\(parameter)<-\(source)")
            }
        }
        self.parameters = parameters
        foreignSources = foreign
    }

    func capture(_ index: Int, in environment: GenericEnvironment) -> Capture {
        let name = captures[index]
        let text = name.text
        if name.isWeak { return .refused("a weak or unowned reference") }
        if let type = environment.type(named: name.start, count: name.count) {
            return MetadataKind.of(type) == 0x300
                ? .refused("a raw pointer or a captured `var`") : .value(type)
        }
        if let kind = functionKind(text[...]) { return kind }
        if text.hasSuffix("Sg"), case .function? = functionKind(text.dropLast(2)) {
            return .optionalFunction
        }
        if text.contains("Xx") || text.contains("XX") {
            return .refused("a captured `var` or weak reference")
        }
        if let type = StoredType(mangled: name) { return .stored(type) }
        if text.utf8.contains(where: { $0 < 0x20 }) {
            return .refused(
                "of a type that the optimised program does not describe (make the type public)")
        }
        return .refused("of a type that cannot be told at run time (\(text))")
    }

    /// A lowered function type ends with "I", its attributes, and "_": substitutions (s),
    /// pseudo-generic (P), escaping (e), isolation (A), how the callee is held (g, x, y: a context;
    /// t: none), Sendable (h), async (H), parameters...
    private func functionKind(_ text: Substring) -> Capture? {
        guard text.hasSuffix("_") else { return nil }
        let reversed = text.dropLast().reversed().prefix { $0.isASCII && $0.isLetter && $0 != "I" }
        guard text.dropLast(reversed.count + 1).hasSuffix("I") else { return nil }
        var rest = Array(reversed.reversed())[...]
        rest = rest.drop { $0 == "s" || $0 == "P" }
        guard rest.popFirst() == "e" else { return .refused("a function that does not escape") }
        rest = rest.drop { $0 == "A" }
        guard let convention = rest.popFirst(), "gxy".contains(convention) else {
            return .refused("a C or thin function")
        }
        rest = rest.drop { $0 == "h" }
        if rest.first == "H" { return .refused("an async function") }
        return .function
    }
}
