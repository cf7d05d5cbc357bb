import Testing

@testable import MillraceStore

@Suite struct StateFileNameTests {
    @Test(arguments: [
        "1.0-255.delta", "12.0-0.snapshot", "7.10-19.3.delta", "900.0-63.12.snapshot",
    ])
    func `a name is read as it was written`(_ name: String) {
        #expect(StateFileName(name)?.text == name)
    }

    @Test(arguments: [
        "", ".", "0.0-1.delta", "01.0-1.delta", "+1.0-1.delta", "1.0-1", "1.0-1.", "1.0-1.delt",
        "1.0-1.deltas", "1.1-0.delta", "1.0-1.0.delta", "1.0-1.2", "1.0-1.2.3.delta",
        "1.00-1.delta", "1.0-4294967295.delta", "1.0-99999999999999999999.delta",
        ".1.0-1.delta", "1.0-1.x.delta", "3.2.run",
    ])
    func `another file's name is nobody's`(_ name: String) {
        #expect(StateFileName(name) == nil)
    }

    @Test func `a start's mark is read as it was written`() {
        #expect(StateFolder.RunName("3.2.run")?.text == "3.2.run")
        for other in ["3.0.run", "3.2.runs", "03.2.run", "3.run", "-1.2.run", "3.2.delta"] {
            #expect(StateFolder.RunName(other) == nil)
        }
    }
}
