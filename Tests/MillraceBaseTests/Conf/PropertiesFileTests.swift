import MillraceBase
import Testing

@Suite struct PropertiesFileTests {
    @Test func readsWhatSparkDefaultsMayContain() throws {
        let text = """
            # a comment
            ! another

            spark.master            local[2]
            spark.app.name=words and more  \r
            spark.executor.memory : 2g
              spark.files   a,\\
                            b
            spark.redaction.regex (?i)x\\\\.y
            empty.value=
            escaped\\ key=tab\\tand\\u00e4\\ud83d\\ude00
            """
        let settings = try PropertiesFile.parse(text, path: "f.conf")
        #expect(
            settings.map { "\($0.key)|\($0.value)" } == [
                "spark.master|local[2]", "spark.app.name|words and more",
                "spark.executor.memory|2g", "spark.files|a,b", "spark.redaction.regex|(?i)x\\.y",
                "empty.value|", "escaped key|tab\tandä😀",
            ])
        #expect(settings[0].source == .file("f.conf", line: 4))
        #expect(settings[3].source == .file("f.conf", line: 7))
        #expect(settings[4].source == .file("f.conf", line: 9))
    }

    @Test(arguments: [
        (
            "a=1\nspark.master\n",
            "f:2: spark.master has no value; a line is `key value` or `key=value`"
        ),
        ("a=\\u12", "f:1: a \\u is not followed by four hexadecimal digits"),
        ("=x", "f:1: =x has no value; a line is `key value` or `key=value`"),
    ])
    func saysWhichLineIsWrong(text: String, message: String) {
        let error = #expect(throws: ConfError.self) { try PropertiesFile.parse(text, path: "f") }
        #expect(error?.description == message)
    }

    @Test(arguments: [
        "", "plain", "with space", "a=b:c", "line\nbreak\ttab", "back\\slash\\", "#no comment",
        "umlaut ä 😀", "trailing\\\\",
    ])
    func writesWhatItReads(value: String) throws {
        let text = PropertiesFile.text([("a key=:#", value), ("next", "1")])
        let settings = try PropertiesFile.parse(text, path: "f")
        #expect(settings.map(\.key) == ["a key=:#", "next"])
        #expect(settings.map(\.value) == [value, "1"])
    }

    @Test func noBytesMakeItTrap() {
        var state: UInt64 = 42
        let alphabet = Array("ab=: \\u#!\n\r\t0f\u{e4}".unicodeScalars)
        for _ in 0..<2_000 {
            var text = ""
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.unicodeScalars.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            _ = try? PropertiesFile.parse(text, path: "f")
        }
    }
}
