import Foundation
import MillraceBase
import MillraceWire
import Testing

private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    try BinaryDecoder().decode(Value.self, from: try BinaryEncoder().encode(value))
}

private enum Event: Codable, Equatable {
    case started
    case moved(x: Int, y: Int)
    case named(String)
    indirect case after(Event, delay: Double)
}

private struct Everything: Codable, Equatable {
    var bool = true
    var int = -5
    var small: Int8 = -128
    var big = UInt64.max
    var wide = Int128.min
    var double = -0.25
    var float: Float = .infinity
    var text = "Ünïcode 🇸🇪"
    var bytes: [UInt8] = [0, 255]
    var none: Int?
    var some: String? = "s"
    var array = [[1, 2], []]
    var optionals: [Int?] = [1, nil]
    var dictionary = ["b": [1], "a": []]
    var byInt = [7: "seven", -1: "minus"]
    var byEvent = [["k"]: Event.started]
    var set: Set<String> = ["x", "y", "z"]
    var event = Event.after(.moved(x: 1, y: 2), delay: 0.5)
    var date = Date(timeIntervalSince1970: 1_700_000_000.5)
    var url = URL(string: "https://swift.org/a?b")!
    var duration = Duration.milliseconds(1500)
    var range = 1..<9
}

private class Base: Codable {
    var name = "base"
}
private final class Derived: Base {
    var extra = 3
    override init() { super.init() }
    enum Keys: CodingKey { case extra }
    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        extra = try container.decode(Int.self, forKey: .extra)
        try super.init(from: try container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        // The super encoder comes first and is filled in last.
        let superEncoder = container.superEncoder()
        try container.encode(extra, forKey: .extra)
        try super.encode(to: superEncoder)
    }
}

/// Interleaves two nested containers, reads in another order, and skips a field.
private struct Interleaved: Codable, Equatable {
    var left: [Int]
    var right: [String: Int]
    enum Keys: CodingKey { case left, right, unused }
    struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
    init(left: [Int], right: [String: Int]) {
        self.left = left
        self.right = right
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        var first = container.nestedUnkeyedContainer(forKey: .left)
        var second = container.nestedContainer(keyedBy: Name.self, forKey: .right)
        try container.encode(["skip": [1, 2, 3]], forKey: .unused)
        for (index, key) in right.keys.sorted().enumerated() {
            try second.encode(right[key]!, forKey: Name(stringValue: key))
            if index < left.count { try first.encode(left[index]) }
        }
        for value in left.dropFirst(right.count) { try first.encode(value) }
    }
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let names = try container.nestedContainer(keyedBy: Name.self, forKey: .right)
        right = [:]
        for key in names.allKeys {
            right[key.stringValue] = try names.decode(Int.self, forKey: key)
        }
        var list = try container.nestedUnkeyedContainer(forKey: .left)
        left = []
        left.reserveCapacity(min(list.count ?? 0, 100))
        while !list.isAtEnd { left.append(try list.decode(Int.self)) }
    }
}

private final class Chain: Codable {
    var next: Chain?
    init(_ next: Chain?) { self.next = next }
}

@Suite struct BinaryCoderTests {
    @Test func everyKindOfValueComesBack() throws {
        #expect(try roundTrip(Everything()) == Everything())
        #expect(try roundTrip([Everything(), Everything()]) == [Everything(), Everything()])
    }

    @Test func scalarsAndCollectionsMayStandAlone() throws {
        #expect(try roundTrip(5) == 5)
        #expect(try roundTrip("x") == "x")
        #expect(try roundTrip(nil as Int?) == nil)
        #expect(try roundTrip([UInt8.max, 0]) == [255, 0])
        #expect(try roundTrip([Int.min, -17, -16, -1, 0, 127, 128, Int.max]).last == Int.max)
        #expect(try roundTrip(String(repeating: "a", count: 1000)).count == 1000)
        #expect(try roundTrip([Double.nan])[0].isNaN)
        #expect(try roundTrip(["a": nil] as [String: Int?]) == ["a": nil])
    }

    @Test func classesMayEncodeTheirSuperclassLast() throws {
        let derived = Derived()
        derived.name = "changed"
        derived.extra = 9
        let back = try roundTrip(derived)
        #expect(back.name == "changed" && back.extra == 9)
    }

    @Test func nestedContainersMayBeFilledInAnyOrder() throws {
        let value = Interleaved(left: [1, 2, 3, 4], right: ["a": 1, "b": 2])
        #expect(try roundTrip(value) == value)
        #expect(try roundTrip([value, value]) == [value, value])
    }

    @Test func fieldsAreFoundByNameSoATypeMayGrow() throws {
        struct Old: Codable {
            var a = 1
            var b = "two"
            var c = [3]
        }
        struct New: Codable {
            var c: [Int]
            var added: Int?
            var a: Int
        }
        let new = try BinaryDecoder().decode(New.self, from: try BinaryEncoder().encode(Old()))
        #expect(new.a == 1 && new.c == [3] && new.added == nil)
    }

    @Test func equalValuesGiveEqualBytesWhateverTheOrder() throws {
        var (first, second) = ([String: Int](), [String: Int]())
        for index in 0..<200 { first["key \(index)"] = index }
        for index in (0..<200).reversed() { second["key \(index)"] = index }
        second.reserveCapacity(5000)
        #expect(try BinaryEncoder().encode(first) == BinaryEncoder().encode(second))
        let sets = (Set((0..<99).map { [$0] }), Set((0..<99).reversed().map { [$0] }))
        #expect(try BinaryEncoder().encode(sets.0) == BinaryEncoder().encode(sets.1))
        struct Key: Codable, Hashable {
            var id: Int
            var tag: String?
        }
        let keys = (0..<50).map { (Key(id: $0, tag: "t"), $0) }
        let maps = (
            Dictionary(uniqueKeysWithValues: keys),
            Dictionary(uniqueKeysWithValues: keys.reversed())
        )
        #expect(try BinaryEncoder().encode(maps.0) == BinaryEncoder().encode(maps.1))
        #expect(try roundTrip(maps.0) == maps.0)
    }

    @Test func namesAreWrittenOnce() throws {
        struct Row: Codable {
            var aFieldOfSomeLength = 1
            var another = 2
        }
        let one = try BinaryEncoder().encode([Row()]).count
        let two = try BinaryEncoder().encode([Row(), Row()]).count
        #expect(two - one <= 6)
    }

    @Test func tooDeepIsAnErrorOnBothSides() throws {
        var chain: Chain?
        for _ in 0..<1000 { chain = Chain(chain) }
        #expect(throws: EncodingError.self) { try BinaryEncoder().encode(chain) }
        let bytes = [UInt8](repeating: 0xC9, count: 100_000)
        #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode([[[Int]]].self, from: bytes)
        }
        // Unknown fields are skipped, so the skipping is bounded too.
        let hidden: [UInt8] = [0xCA, 1, 1, 0x78] + bytes
        #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode(Everything.self, from: hidden)
        }
    }

    @Test func errorsSayWhere() throws {
        struct Outer: Codable { var inner: [Inner] }
        struct Inner: Codable { var value: Int }
        struct Other: Codable { var inner: [Text] }
        struct Text: Codable { var value: String }
        let bytes = try BinaryEncoder().encode(Outer(inner: [Inner(value: 1)]))
        let error = #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode(Other.self, from: bytes)
        }
        guard case .typeMismatch(_, let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue).contains("inner"))
        #expect(context.debugDescription.contains("an integer"))
    }

    @Test func integersThatDoNotFitAreRefused() throws {
        let bytes = try BinaryEncoder().encode(300)
        #expect(throws: DecodingError.self) { try BinaryDecoder().decode(UInt8.self, from: bytes) }
        let negative = try BinaryEncoder().encode(-1)
        #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode(UInt.self, from: negative)
        }
    }

    @Test func anErrorThatUserCodeSwallowsIsNotForgotten() throws {
        struct Bad: Encodable {
            func encode(to encoder: any Encoder) throws {
                throw MillraceError(.invalidArgument, "no")
            }
        }
        struct Swallowing: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try? container.encode(Bad())
                try container.encode(1)
            }
        }
        #expect(throws: MillraceError.self) { try BinaryEncoder().encode(Swallowing()) }
    }

    @Test func damagedBytesThrowAndNeverTrap() throws {
        let bytes = try BinaryEncoder().encode([Everything(), Everything()])
        for length in 0..<bytes.count {
            #expect(throws: (any Error).self) {
                try BinaryDecoder().decode([Everything].self, from: Array(bytes[..<length]))
            }
        }
        var generator = SeededGenerator(11)
        for _ in 0..<5_000 {
            _ = try? BinaryDecoder().decode([Everything].self, from: generator.mutated(bytes))
        }
        let nested = try BinaryEncoder().encode(
            Interleaved(left: [1, 2], right: ["a": 1, "b": 2]))
        for _ in 0..<5_000 {
            _ = try? BinaryDecoder().decode(Interleaved.self, from: generator.mutated(nested))
        }
    }
}
