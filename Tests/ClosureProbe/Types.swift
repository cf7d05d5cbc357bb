/// What the closures capture.
struct Point: Codable, Hashable, Sendable {
    var x: Int
    var name: String
}

struct OneArray: Codable, Sendable { var values: [Double] }

struct Scaler: Codable, Sendable {
    var factor: Int
    func scale(_ value: Int) -> String { "\(value * factor)" }
}

final class Lookup: Codable, Sendable {
    let table: [String: Int]
    init(_ table: [String: Int]) { self.table = table }
}

class Animal: Codable, @unchecked Sendable {
    var legs: Int
    init(legs: Int) { self.legs = legs }
    func say() -> String { "\(legs) legs" }
}

final class Dog: Animal, @unchecked Sendable {
    var name = "Rex"
    override func say() -> String { "\(name) on \(legs) legs" }
    init(name: String) {
        self.name = name
        super.init(legs: 4)
    }
    enum Keys: CodingKey { case name }
    required init(from decoder: any Decoder) throws {
        name = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .name)
        try super.init(from: decoder)
    }
    override func encode(to encoder: any Encoder) throws {
        try super.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(name, forKey: .name)
    }
}

enum Choice: Codable, Sendable {
    case number(Int)
    case text(String, Int)
    case nothing
}

indirect enum Tree: Codable, Sendable {
    case leaf(Int)
    case node(Tree, Tree)
    var sum: Int {
        switch self {
        case .leaf(let value): value
        case .node(let left, let right): left.sum + right.sum
        }
    }
}

protocol Figure: Sendable { func area() -> Int }
struct Square: Figure, Codable {
    var side: Int
    func area() -> Int { side * side }
}
struct Circle: Figure {
    var radius: Int
    func area() -> Int { 3 * radius * radius }
}

struct Pair<First: Codable & Sendable & Hashable, Second: Codable & Sendable & Hashable>: Codable,
    Sendable, Hashable
{
    var first: First
    var second: Second
    struct Inner<Third: Codable & Sendable>: Codable, Sendable {
        var third: Third
        var first: First
    }
}

private struct Hidden: Codable, Sendable, Hashable { var value: Int }

extension Shapes {
    /// Shapes that involve a type no other file can name.
    mutating func addPrivate(_ number: Int) {
        let hidden = Hidden(value: number)
        let several = [hidden, Hidden(value: 7)]
        let keyed = [hidden: "a", Hidden(value: 1): "b"]
        add("private struct") { "\($0 + hidden.value)" }
        add("array of a private struct, alone") { "\($0 + several.count) \(several)" }
        add("dictionary of a private struct, alone") { "\($0) \(keyed[hidden] ?? "")" }
        add("function over a private struct", { @Sendable (input: Hidden) in input.value + number })
        {
            "\($0(Hidden(value: 3)))"
        }
        addGeneric("private struct", hidden)
        struct Local: Codable, Sendable, Hashable { var value: Int }
        addGeneric("local struct", Local(value: number))
        addGeneric("generic over a local struct", Pair(first: Local(value: number), second: hidden))
        addGeneric(
            "nested generic over a local struct",
            Pair<Local, Int>.Inner<Hidden>(third: hidden, first: Local(value: 2)))
    }

    /// A closure made in a generic function.
    @inline(never)
    mutating func addGeneric<Value: Codable & Sendable>(_ name: String, _ value: Value) {
        let many = [value, value]
        let pair = (value, 1)
        add("generic: \(name)") { "\($0) \(value)" }
        add("generic array: \(name)") { "\($0) \(many)" }
        add("generic tuple: \(name)") { "\($0) \(pair)" }
        add("generic metatype: \(name)") { "\($0) \(MemoryLayout<Value>.size)" }
        add("generic signature: \(name)", { @Sendable (input: Value) in "\(input) \(many.count)" })
        {
            $0(value)
        }
    }
}
