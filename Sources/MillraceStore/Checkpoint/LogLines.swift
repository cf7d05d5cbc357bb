import MillraceBase

/// The lines of a versioned text log, with errors that say file, line and what is expected.
///
/// Line 0 is the version ("v1"); indices count from 0, errors from 1.
struct LogLines {
    let path: String
    private let lines: [ArraySlice<UInt8>]
    private let bytes: [UInt8]

    init(_ bytes: [UInt8], path: String, version: String) throws(StoreError) {
        self.path = path
        self.bytes = bytes
        let all = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        // An editor's newline at the end is no line; ours have none.
        lines = all.count > 1 && all.last?.isEmpty == true ? all.dropLast() : all
        guard !bytes.isEmpty else {
            throw StoreError.corrupt(
                path, at: 0, "line 1: \"\(version)\" is expected, the file is empty")
        }
        let found = self[0]
        guard found == version else {
            if found.first == "v", Int(found.dropFirst()) != nil {
                throw StoreError(
                    .unsupported, "read", path,
                    "line 1: its format is \(found.prefix(20)), this program reads \(version)")
            }
            throw failure(0, "the format's version \"\(version)\" is expected")
        }
    }

    var count: Int { lines.count }

    subscript(index: Int) -> String { String(decoding: lines[index], as: UTF8.self) }

    /// A line's offset in the file.
    func offset(_ line: Int) -> Int { line < lines.count ? lines[line].startIndex : bytes.count }

    func failure(_ line: Int, _ reason: String) -> StoreError {
        .corrupt(path, at: offset(line), "line \(line + 1): \(reason)")
    }

    /// The line as a JSON object; `what` it is, for the error.
    func object(_ line: Int, _ what: String) throws(StoreError) -> JSONObject {
        guard let object = try json(line, what).objectValue else {
            throw failure(line, "\(what): an object is expected")
        }
        return object
    }

    /// The line as JSON.
    func json(_ line: Int, _ what: String) throws(StoreError) -> JSONValue {
        guard line < lines.count else { throw failure(line, "\(what) is expected, not the end") }
        do throws(JSONError) {
            return try JSONValue(parsing: Array(lines[line]))
        } catch {
            throw .corrupt(
                path, at: offset(line) + error.offset,
                "line \(line + 1), column \(error.column): \(what): \(error.reason)")
        }
    }

    /// A member that must be there and an integer.
    func integer(_ name: String, in object: JSONObject, line: Int) throws(StoreError) -> Int64 {
        guard let value = object[name]?.integerValue else {
            let found = object[name].map { ", not \($0.kind)" } ?? "; it is missing"
            throw failure(line, "\"\(name)\" is expected to be an integer\(found)")
        }
        return value
    }

    /// A member that must be there and a string.
    func string(_ name: String, in object: JSONObject, line: Int) throws(StoreError) -> String {
        guard let value = object[name]?.stringValue else {
            let found = object[name].map { ", not \($0.kind)" } ?? "; it is missing"
            throw failure(line, "\"\(name)\" is expected to be a string\(found)")
        }
        return value
    }
}
