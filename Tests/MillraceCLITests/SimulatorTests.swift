import Foundation
import Testing

/// `millrace-sim` as a user types it.
@Suite struct SimulatorTests {
    static func run(_ arguments: String...) throws -> Program {
        try Program.run(
            arguments, of: Program.directory.appendingPathComponent("millrace-sim"))
    }

    @Test func `a day is the same in two processes`() throws {
        let first = try Self.run("--seed", "11", "--trace")
        let second = try Self.run("--seed", "11", "--trace")
        #expect(first.status == 0)
        #expect(first.output == second.output)
        #expect(first.output.contains("registers with"))
    }

    @Test func `some days end with a summary`() throws {
        let program = try Self.run("--seeds", "20")
        #expect(program.status == 0, "\(program.output)\(program.errors)")
        #expect(program.output.contains("20 days"))
        #expect(program.output.contains("steps/s"))
    }

    @Test func `other days begin at another seed`() throws {
        let program = try Self.run("--first", "70000", "--seeds", "3")
        #expect(program.status == 0, "\(program.output)\(program.errors)")
        #expect(program.output.contains("3 days"))
    }

    @Test func `days that take a rare path are named`() throws {
        let program = try Self.run("--seeds", "20", "--probe", "lateSuccessOfEndedStage")
        #expect(program.status == 0, "\(program.output)\(program.errors)")
        #expect(program.output.contains(" takes lateSuccessOfEndedStage"))
    }

    @Test func `help explains the flags`() throws {
        let program = try Self.run("--help")
        #expect(program.status == 0)
        #expect(program.output.contains("--seeds N"))
    }

    @Test(
        "nonsense is one line and 2",
        arguments: [
            ["--seeds", "0"], ["--seeds", "many"], ["--seed"], ["--sed", "1"], ["7"],
            ["--canary", "parrot"], ["--probe", "parrot"],
            ["--trace"], ["--first"], ["--first", "-1"],
            ["--seed", "1", "--seeds", "2"], ["--seed", "1", "--first", "2"],
        ])
    func nonsense(_ arguments: [String]) throws {
        let program = try Program.run(
            arguments, of: Program.directory.appendingPathComponent("millrace-sim"))
        #expect(program.status == 2)
        #expect(program.isOneLineOfComplaint, "\(program.errors)")
    }
}
