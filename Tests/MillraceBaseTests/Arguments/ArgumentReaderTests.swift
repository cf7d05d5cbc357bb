import MillraceBase
import Testing

@Suite struct ArgumentReaderTests {
    /// Flags and values as read, then "|" and the rest.
    private func read(_ arguments: [String]) throws(UsageError) -> [String] {
        var reader = ArgumentReader(arguments, flags: ["--port", "--name", "--quiet", "-v"])
        var found: [String] = []
        while let flag = try reader.nextFlag() {
            switch flag {
            case "--port": found.append("port \(try reader.integer(in: 0...65_535))")
            case "--name": found.append("name \(try reader.value())")
            default: found.append(flag)
            }
        }
        return found + ["|"] + reader.rest
    }

    @Test func readsFlagsThenTheRest() throws {
        #expect(
            try read(["--port", "1", "--name=a=b", "-v", "program", "--port", "x"])
                == ["port 1", "name a=b", "-v", "|", "program", "--port", "x"])
        #expect(try read(["--quiet", "--", "--port"]) == ["--quiet", "|", "--port"])
        #expect(try read(["-", "-v"]) == ["|", "-", "-v"])
        #expect(try read(["--name", "--quiet"]) == ["name --quiet", "|"])
        #expect(try read([]) == ["|"])
    }

    @Test(arguments: [
        (["--prot", "1"], "unknown flag '--prot'; did you mean --port?"),
        (["--nonsense"], "unknown flag '--nonsense'"),
        (["--port"], "--port needs a value"),
        (["--port", "x"], "--port needs an integer from 0 to 65535, got 'x'"),
        (["--port=65536"], "--port needs an integer from 0 to 65535, got '65536'"),
        (["--quiet=yes", "x"], "--quiet takes no value, got 'yes'"),
        (["--a\nb"], "unknown flag '--a b'"),
    ])
    func saysWhatIsWrongInOneLine(arguments: [String], message: String) {
        let error = #expect(throws: UsageError.self) { try read(arguments) }
        #expect(error?.message == message)
    }
}
