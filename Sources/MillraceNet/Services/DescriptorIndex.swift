import CMillraceProto
import MillraceBase

/// Which proto file says what: from a name, a symbol or an extension to the file, and the files it
/// imports.
///
/// Built from serialized FileDescriptorSets, of which only names are read.
struct DescriptorIndex {
    private struct File {
        var bytes: [UInt8]
        var imports: [String]
    }
    private struct Extension: Hashable {
        var type: String
        var number: Int
    }

    private var files: [String: File] = [:]
    private var fileOfSymbol: [String: String] = [:]
    private var fileOfExtension: [Extension: String] = [:]

    /// The descriptor set of a package of this program's `proto/`, as `grpc.health.v1`; nil if
    /// there is none.
    static func embedded(_ package: String) -> [UInt8]? {
        var size = 0
        guard let start = cmillrace_descriptor_set(package, &size) else { return nil }
        return Array(UnsafeBufferPointer(start: start, count: size))
    }

    /// Adds the files of a FileDescriptorSet; those that are known already stay.
    mutating func add(_ set: [UInt8]) throws(ByteError) {
        for field in try ProtoField.parse(set) where field.number == 1 { try addFile(field.bytes) }
    }

    /// The file and, after it, everything it imports; nil if it is not known.
    func files(from name: String) -> [[UInt8]]? {
        guard files[name] != nil else { return nil }
        var found: [[UInt8]] = []
        var seen: Set<String> = [name]
        var queue = [name]
        while let next = queue.popLast() {
            guard let file = files[next] else { continue }
            found.append(file.bytes)
            for wanted in file.imports where seen.insert(wanted).inserted { queue.append(wanted) }
        }
        return found
    }

    func file(ofSymbol symbol: String) -> String? { fileOfSymbol[symbol] }

    func file(ofExtension number: Int, of type: String) -> String? {
        fileOfExtension[Extension(type: type, number: number)]
    }

    func extensionNumbers(of type: String) -> [Int]? {
        let numbers = fileOfExtension.keys.filter { $0.type == type }.map(\.number).sorted()
        return numbers.isEmpty && fileOfSymbol[type] == nil ? nil : numbers
    }

    // MARK: - Numbers of descriptor.proto

    private mutating func addFile(_ bytes: [UInt8]) throws(ByteError) {
        let fields = try ProtoField.parse(bytes)
        guard let name = fields.first(where: { $0.number == 1 })?.string, files[name] == nil else {
            return
        }
        let package = fields.first { $0.number == 2 }?.string ?? ""
        files[name] = File(bytes: bytes, imports: fields.filter { $0.number == 3 }.map(\.string))
        for field in fields {
            switch field.number {
            case 4: try addMessage(field.bytes, in: package, name)
            case 5: try addNamed(field.bytes, members: 2, in: package, name)
            case 6: try addNamed(field.bytes, members: 2, in: package, name)
            case 7: try addExtension(field.bytes, in: package, name)
            default: break
            }
        }
    }

    private mutating func addMessage(_ bytes: [UInt8], in scope: String, _ file: String)
        throws(ByteError)
    {
        let full = try addNamed(bytes, members: 2, in: scope, file)
        for field in try ProtoField.parse(bytes) {
            switch field.number {
            case 3: try addMessage(field.bytes, in: full, file)
            case 4: try addNamed(field.bytes, members: 2, in: full, file)
            case 6: try addExtension(field.bytes, in: full, file)
            default: break
            }
        }
    }

    /// A message, enum or service, and its members (fields, values, methods) by their full names.
    @discardableResult
    private mutating func addNamed(
        _ bytes: [UInt8], members: Int, in scope: String, _ file: String
    ) throws(ByteError) -> String {
        let fields = try ProtoField.parse(bytes)
        let full = join(scope, fields.first { $0.number == 1 }?.string ?? "")
        fileOfSymbol[full] = file
        for field in fields where field.number == members {
            let inner = try ProtoField.parse(field.bytes)
            if let name = inner.first(where: { $0.number == 1 })?.string {
                fileOfSymbol[join(full, name)] = file
            }
        }
        return full
    }

    private mutating func addExtension(_ bytes: [UInt8], in scope: String, _ file: String)
        throws(ByteError)
    {
        let fields = try ProtoField.parse(bytes)
        fileOfSymbol[join(scope, fields.first { $0.number == 1 }?.string ?? "")] = file
        guard let type = fields.first(where: { $0.number == 2 })?.string,
            let number = fields.first(where: { $0.number == 3 })?.integer
        else { return }
        let extended = type.hasPrefix(".") ? String(type.dropFirst()) : type
        fileOfExtension[Extension(type: extended, number: number)] = file
    }

    private func join(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }
}
