import MillraceBase
import MillraceWire
import Testing

private struct Point: Codable, Equatable {
    var x: Int
    var name: String?
    var tags: [String]
}

private struct Opaque {}

@Suite struct RowCodecTests {
    private func roundTrip<Row>(_ rows: [Row]) throws -> [Row] {
        let codec = try RowCodec<Row>()
        var writer = ByteWriter()
        try codec.encode(rows, into: &writer)
        var reader = ByteReader(writer.bytes)
        var result: [Row] = []
        try codec.decode(from: &reader, into: &result)
        try reader.expectEnd()
        return result
    }

    @Test func integersKeepTheirValuesAtTheExtremes() throws {
        #expect(try roundTrip([Int.min, -1, 0, 1, Int.max]) == [Int.min, -1, 0, 1, Int.max])
        #expect(try roundTrip([Int8.min, -1, 0, Int8.max]) == [Int8.min, -1, 0, Int8.max])
        #expect(try roundTrip([UInt64.max, 0, 7]) == [UInt64.max, 0, 7])
        #expect(try roundTrip([UInt16.max, 3]) == [UInt16.max, 3])
        #expect(try roundTrip([Int32(-5), 70_000]) == [Int32(-5), 70_000])
        #expect(try roundTrip([] as [Int]) == [])
    }

    @Test func otherLeavesKeepTheirValues() throws {
        #expect(try roundTrip([1.5, -.infinity, 0]) == [1.5, -.infinity, 0])
        #expect(try roundTrip([Float(1.5), -2]) == [1.5, -2])
        let bools = (0..<19).map { $0 % 3 == 0 }
        #expect(try roundTrip(bools) == bools)
        let words = ["", "a", "éa", String(repeating: "long ", count: 100), "🇸🇪"]
        #expect(try roundTrip(words) == words)
        #expect(try roundTrip(words.map { $0[...] }) == words.map { $0[...] })
        #expect(try roundTrip(["a", "🇸🇪", "e\u{301}"] as [Character]) == ["a", "🇸🇪", "e\u{301}"])
        #expect(try roundTrip([[1, 2, 3], [], [0xFF]] as [[UInt8]]) == [[1, 2, 3], [], [0xFF]])
        #expect(
            try roundTrip([Duration.seconds(-3), .nanoseconds(7)]) == [
                .seconds(-3), .nanoseconds(7),
            ])
        #expect(try roundTrip([Instant(nanoseconds: 9)]) == [Instant(nanoseconds: 9)])
    }

    @Test func optionalsAndArraysNest() throws {
        let optionals: [Int?] = [1, nil, 3, nil]
        #expect(try roundTrip(optionals) == optionals)
        let deep: [String??] = ["a", .some(nil), nil]
        #expect(try roundTrip(deep) == deep)
        let arrays: [[String]] = [["a", "b"], [], ["c"]]
        #expect(try roundTrip(arrays) == arrays)
        #expect(try roundTrip([nil, nil] as [Int?]) == [nil, nil])
    }

    @Test func tuplesAreTakenApart() throws {
        let rows = (0..<1000).map { ("word \($0 % 17)", $0) }
        let back = try roundTrip(rows)
        #expect(back.map(\.0) == rows.map(\.0))
        #expect(back.map(\.1) == rows.map(\.1))
        let nested: [(Int8, (String?, [(Int, Bool)]), UInt16)] = [
            (1, ("x", [(1, true), (2, false)]), 9), (-1, (nil, []), 0),
        ]
        let again = try roundTrip(nested)
        #expect(again.map { "\($0)" } == nested.map { "\($0)" })
        #expect(try roundTrip([(), (), ()]).count == 3)
    }

    @Test func otherCodableTypesTravelToo() throws {
        let points = (0..<10).map { Point(x: $0, name: $0 % 2 == 0 ? "p" : nil, tags: ["t\($0)"]) }
        #expect(try roundTrip(points) == points)
        let keyed = points.map { ("k", $0) }
        #expect(try roundTrip(keyed).map(\.1) == points)
    }

    @Test func decodingAppends() throws {
        let codec = try RowCodec<(String, Int)>()
        var writer = ByteWriter()
        try codec.encode([("a", 1)], into: &writer)
        try codec.encode([("b", 2), ("c", 3)], into: &writer)
        var reader = ByteReader(writer.bytes)
        var rows: [(String, Int)] = []
        try codec.decode(from: &reader, into: &rows)
        try codec.decode(from: &reader, into: &rows)
        #expect(rows.map(\.0) == ["a", "b", "c"])
        #expect(reader.isAtEnd)
    }

    @Test func aTypeThatCannotTravelIsNamed() throws {
        let error = #expect(throws: MillraceError.self) { try RowCodec<(Int, Opaque)>() }
        #expect(error?.code == .notSerializable)
        #expect(error?.message.contains("Opaque") == true)
    }

    @Test func cutOffBytesAreAnErrorAndChangeNothing() throws {
        let codec = try RowCodec<(String, Int?, Point, [UInt8])>()
        let point = Point(x: 1, name: "n", tags: ["a", "b"])
        var writer = ByteWriter()
        try codec.encode(
            [("one", 1, point, [1]), ("two", nil, point, []), ("three", 3, point, [7])],
            into: &writer)
        for length in 0..<writer.count {
            var reader = ByteReader(writer.bytes[..<length])
            var rows: [(String, Int?, Point, [UInt8])] = []
            #expect(throws: (any Error).self) { try codec.decode(from: &reader, into: &rows) }
            #expect(rows.isEmpty && reader.position == 0)
        }
    }
}
