import MillraceBase
import MillraceWire
import Testing

private struct Key: Codable, Hashable {
    var name: String
    var weights: [String: Double]
}

@Suite struct StableHashTests {
    /// Computed by another program from the documentation. Checkpoints depend on them: they may
    /// never change.
    @Test func hashesAreWhatTheyHaveAlwaysBeen() throws {
        let found = [
            try stableHash(0), try stableHash(1), try stableHash(""), try stableHash("millrace"),
            try stableHash("a string of more than sixteen bytes"), try stableHash(("a", 1)),
            try stableHash(1.5), try stableHash(["a", "b"]),
            try stableHash(Key(name: "k", weights: ["x": 1])),
        ]
        let expected: [UInt64] = [
            0x1ff5_c292_3a78_8d2c,
            0x38f9_4c43_9ac3_6242,
            0x96eb_be17_3ff7_2a30,
            0x210b_2fba_0275_ab85,
            0x274d_993e_f23c_f7a9,
            0xb65b_7890_968e_381f,
            0x073a_6dcd_287e_d1e1,
            0x692f_48d0_f6b5_0c70,
            0x6cdb_9357_f9f0_cf45,
        ]
        #expect(found == expected)
    }

    @Test func equalStringsHashEqual() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(composed == decomposed)
        #expect(try stableHash(composed) == stableHash(decomposed))
        #expect(try stableHash((composed, 1)) == stableHash((decomposed, 1)))
        #expect(try stableHash([composed]) == stableHash([decomposed]))
        let keys = (Key(name: composed, weights: [:]), Key(name: decomposed, weights: [:]))
        #expect(try stableHash(keys.0) == stableHash(keys.1))
        // Order of marks, singletons, Hangul.
        #expect(try stableHash("q\u{307}\u{323}") == stableHash("q\u{323}\u{307}"))
        #expect(try stableHash("\u{212B}") == stableHash("\u{C5}"))
        #expect(try stableHash("\u{1112}\u{1161}\u{11AB}") == stableHash("\u{D55C}"))
    }

    @Test func theOrderOfADictionaryDoesNotCount() throws {
        let pairs = (0..<100).map { ("k\($0)", Double($0)) }
        let forward = Key(name: "", weights: Dictionary(uniqueKeysWithValues: pairs))
        let backward = Key(name: "", weights: Dictionary(uniqueKeysWithValues: pairs.reversed()))
        #expect(try stableHash(forward) == stableHash(backward))
    }

    @Test func zerosAndNaNsAreAlike() throws {
        #expect(try stableHash(0.0) == stableHash(-0.0))
        #expect(try stableHash(Float(0)) == stableHash(-Float(0)))
        #expect(try stableHash(Double.nan) == stableHash(-Double.signalingNaN))
        let zeros = (Key(name: "", weights: ["z": 0.0]), Key(name: "", weights: ["z": -0.0]))
        #expect(try stableHash(zeros.0) == stableHash(zeros.1))
    }

    @Test func integersHashByValue() throws {
        #expect(try stableHash(Int32(-7)) == stableHash(-7))
        #expect(try stableHash(UInt8(200)) == stableHash(200))
    }

    @Test func aHasherSaysTheSameAsTheFunction() throws {
        #expect(try StableHasher<String>().hash("x") == stableHash("x"))
        #expect(
            try StableHasher<(Int, String?)>().hash((1, nil)) == stableHash((1, nil as String?)))
        #expect(try stableHash(nil as Int?) != stableHash(0 as Int?))
        func generic<Value>(_ value: Value) throws -> UInt64 { try stableHash(value) }
        #expect(try generic("é") == stableHash("é"))
    }

    @Test func keysSpreadOverPartitions() throws {
        for count in [7, 16, 256] {
            var (byInt, byText) = (
                [Int](repeating: 0, count: count), [Int](repeating: 0, count: count)
            )
            for index in 0..<count * 1000 {
                byInt[Int(try stableHash(index) % UInt64(count))] += 1
                byText[Int(try stableHash("user \(index)") % UInt64(count))] += 1
            }
            for slots in [byInt, byText] { #expect(slots.allSatisfy { (800...1200).contains($0) }) }
        }
    }

    @Test func aKeyWithoutAHashIsNamed() throws {
        struct Opaque {}
        let error = #expect(throws: MillraceError.self) { try StableHasher<(Int, Opaque)>() }
        #expect(error?.message.contains("Opaque") == true)
    }
}
