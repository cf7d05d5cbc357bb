import MillraceBase
import Testing

@Suite struct JSONTests {
    @Test func objectsKeepTheirOrderAndIntegersStayIntegers() throws {
        let text = #"{"z":1,"a":[true,null,-2.5,"x"],"m":{"k":9007199254740993},"e":[]}"#
        #expect(try JSONValue(parsing: text).compact == text)
        #expect(try JSONValue(parsing: "1.0") == .double(1))
        #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
        #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
        #expect(try JSONValue(parsing: "9223372036854775808") == .double(9_223_372_036_854_775_808))
    }

    @Test func prettyIsWhatJacksonPrints() {
        let value: JSONValue = [
            "id": "x", "rates": [1, 2.5], "none": [], "empty": [:],
            "sources": [["description": "d", "startOffset": nil]],
        ]
        let expected = """
            {
              "id" : "x",
              "rates" : [ 1, 2.5 ],
              "none" : [ ],
              "empty" : { },
              "sources" : [ {
                "description" : "d",
                "startOffset" : null
              } ]
            }
            """
        #expect(value.pretty == expected)
    }

    @Test func stringsAreEscapedAsJacksonDoes() throws {
        let string = "a\"b\\c/\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é😀"
        let text = #""a\"b\\c/\b\t\n\f\r\u0001\u001F"# + "\u{7f}é😀\""
        #expect(JSONValue.string(string).compact == text)
        #expect(try JSONValue(parsing: text) == .string(string))
        #expect(try JSONValue(parsing: #""\/\u00e9\uD83D\uDE00""#) == "/é😀")
    }

    @Test func numbersThatJSONCannotHoldAreNull() {
        #expect(JSONValue.double(.nan).compact == "null")
        #expect(JSONValue.array([.double(.infinity), .double(100)]).compact == "[null,100.0]")
    }

    @Test func errorsSayLineColumnAndWhatIsExpected() {
        let cases: [(String, String)] = [
            ("", "line 1, column 1: a value is expected, not the end"),
            ("{\"a\":1,\n \"b\" 2}", "line 2, column 6: ':' is expected, not '2'"),
            ("[1,2", "line 1, column 5: ',' or ']' is expected, not the end"),
            ("{\"a\":1} x", "line 1, column 9: the end is expected, not 'x'"),
            ("{\"a\":1,\"a\":2}", "line 1, column 8: the name \"a\" appears twice in one object"),
            ("tru", "line 1, column 1: true is expected"),
            ("\"abc", "line 1, column 1: the string that begins here has no end"),
            (
                "\"a\u{1}\"",
                "line 1, column 3: a control character stands in a string without escape"
            ),
            (#""\x""#, "line 1, column 3: 'x' is no escape of JSON"),
            (#""\uD800x""#, "line 1, column 4: half of a surrogate pair"),
            ("1e999", "line 1, column 1: the number is too large"),
            ("01", "line 1, column 2: the end is expected, not '1'"),
            ("-", "line 1, column 2: a digit is expected, not the end"),
            ("[1,]", "line 1, column 4: a value is expected, not ']'"),
        ]
        for (text, expected) in cases {
            #expect { try JSONValue(parsing: text) } throws: { error in
                (error as? JSONError)?.description == expected
            }
        }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func limitsHold() {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
        #expect(throws: Never.self) {
            try JSONValue(parsing: deep, limits: JSONLimits(depth: 200))
        }
        #expect(throws: JSONError.self) {
            try JSONValue(parsing: "[1,2,3]", limits: JSONLimits(size: 3))
        }
    }

    @Test func randomChangesNeverTrapAndWhatParsesSurvivesWriting() throws {
        let text = #"{"a":[1,-2.5e3,{"b":"\u00e9\n"},null,true],"c":{"d":"x"}}"#
        var generator = SplitMix64(seed: 7)
        for _ in 0..<20_000 {
            var bytes = Array(text.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                    in: 0...255, using: &generator)
            }
            bytes = Array(bytes.prefix(Int.random(in: 1...bytes.count + 40, using: &generator)))
            if let value = try? JSONValue(parsing: bytes) {
                #expect(try JSONValue(parsing: value.compact) == value)
                #expect(try JSONValue(parsing: value.pretty) == value)
            }
        }
    }

    @Test func membersAreSetInPlace() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = 4
        object["b"] = nil
        #expect(JSONValue.object(object).compact == #"{"a":3,"c":4}"#)
    }
}

@Suite struct CRC32CTests {
    @Test func knownValuesAgree() {
        // RFC 3720, B.4, and the check value of the Castagnoli polynomial.
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum([UInt8]()) == 0)
    }

    @Test func piecesGiveTheSameAsTheWhole() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            var checksum = CRC32C()
            checksum.update(bytes[..<cut])
            checksum.update(Array(bytes[cut...]))
            #expect(checksum.value == CRC32C.checksum(bytes))
        }
    }
}

/// Random numbers that a failure can be repeated with.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
