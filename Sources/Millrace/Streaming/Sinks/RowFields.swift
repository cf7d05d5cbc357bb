import MillraceBase

/// A row's columns by reflection, for people and JSON: the fields of a struct or class, the
/// elements of a tuple (`_1`, `_2` where they have no names), or the value itself as `value`. Slow;
/// not for the path of many rows.
enum RowFields {
    /// The columns of one row, in order.
    static func columns(_ row: Any) -> [(name: String, value: Any)] {
        let mirror = Mirror(reflecting: row)
        switch mirror.displayStyle {
        case .tuple, .struct:
            if mirror.children.isEmpty { return [("value", row)] }
            if mirror.displayStyle == .struct, isScalar(row) { return [("value", row)] }
            return mirror.children.enumerated().map { index, child in
                (name(child.label, index), child.value)
            }
        default: return [("value", row)]
        }
    }

    /// As a JSON object.
    static func json(_ row: Any) -> JSONValue {
        .object(JSONObject(columns(row).map { ($0.name, value($0.value)) }))
    }

    static func value(_ any: Any) -> JSONValue {
        switch any {
        case let string as String: return .string(string)
        case let string as Substring: return .string(String(string))
        case let bool as Bool: return .bool(bool)
        case let double as Double: return .double(double)
        case let float as Float: return .double(Double(float))
        case let integer as any BinaryInteger:
            return Int64(exactly: integer).map { .integer($0) } ?? .string("\(integer)")
        default: break
        }
        let mirror = Mirror(reflecting: any)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { value($0.value) } ?? .null
        case .collection, .set: return .array(mirror.children.map { value($0.value) })
        case .tuple, .struct: return json(any)
        default: return .string("\(any)")
        }
    }

    /// As a cell of the console's table.
    static func text(_ any: Any) -> String {
        let mirror = Mirror(reflecting: any)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { text($0.value) } ?? "NULL"
        case .collection, .set:
            return "[" + mirror.children.map { text($0.value) }.joined(separator: ", ") + "]"
        case .tuple:
            return "{" + mirror.children.map { text($0.value) }.joined(separator: ", ") + "}"
        default: return "\(any)"
        }
    }

    private static func name(_ label: String?, _ index: Int) -> String {
        guard let label, !label.hasPrefix(".") else { return "_\(index + 1)" }
        return label
    }

    /// Values that have parts but are one.
    private static func isScalar(_ row: Any) -> Bool {
        row is String || row is Substring || row is Bool || row is any BinaryInteger
            || row is any BinaryFloatingPoint
    }
}
