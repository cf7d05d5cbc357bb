import Testing

/// Takes minutes; `deploy/test.sh` runs it on its own.
@Suite struct SimulatedDaysTests {
    @Test func `a thousand days end well, and take every rare path`() throws {
        let program = try SimulatorTests.run("--seeds", "1000")
        #expect(program.status == 0, "\(program.output)\(program.errors)")
        #expect(program.output.contains("1000 days"))
    }
}
