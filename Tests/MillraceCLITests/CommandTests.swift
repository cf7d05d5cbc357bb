import MillraceBase
import Testing

@Suite struct CommandTests {
    @Test(arguments: ["help", "--help", "-h"])
    func helpListsTheCommands(argument: String) throws {
        let program = try Program.run([argument])
        #expect(program.status == 0)
        for name in ["submit", "conf", "kafka-dev", "kafka-produce", "version"] {
            #expect(program.output.contains("\n  \(name) "))
        }
    }

    @Test(arguments: ["submit", "conf", "version", "help", "kafka-dev", "kafka-produce"])
    func everyCommandHasHelp(command: String) throws {
        let program = try Program.run([command, "--help"])
        #expect(program.status == 0)
        #expect(program.output.contains("usage: millrace \(command)"))
        #expect(program.errors.isEmpty)
    }

    @Test func versionIsTheSourcesVersion() throws {
        let program = try Program.run(["version"])
        #expect(program.status == 0)
        let lines = program.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == "millrace \(MillraceVersion.text)")
        #expect(lines[2].wholeMatch(of: /build [0-9a-f]{16,}/) != nil)
    }

    @Test func confPrintsTheCatalog() throws {
        #expect(try Program.run(["conf", "--markdown"]).output == Conf.catalogMarkdown())
        #expect(try Program.run(["conf"]).output == Conf.catalogText())
        #expect(try Program.run(["conf", "shuffle"]).output.contains("millrace.shuffle.partitions"))
    }

    @Test(arguments: [
        [], ["sumbit"], ["--nonsense"], [""], ["help", "nonsense"], ["help", "conf", "more"],
        ["conf", "--markdwon"], ["conf", "a", "b"], ["conf", "--markdown", "a"],
        ["conf", "no such setting"], ["version", "x"], ["submit"], ["submit", "--nonsense"],
        ["submit", ""], ["submit", "--name"], ["submit", "--conf", "x", "/bin/true"],
        ["submit", "--conf", "=x", "/bin/true"], ["submit", "--conf", "a=b", "/bin/true"],
        ["submit", "--master", "yarn", "/bin/true"], ["submit", "--master", "", "/bin/true"],
        ["submit", "--master", "millrace://host:7077", "/bin/true"],
        ["submit", "--master", "k8s://https://host:6443", "/bin/true"],
        ["submit", "--deploy-mode", "cluster", "/bin/true"], ["submit", "--class", "A", "x.jar"],
        ["submit", "--supervise", "/bin/true"], ["submit", "--kill", "driver-1"],
        ["submit", "--executor-memory", "1 elephant", "/bin/true"],
        ["submit", "--properties-file", "/nonexistent", "/bin/true"],
        ["submit", "--properties-file", "/", "/bin/true"],
        ["submit", "--properties-file", "/dev/zero", "/bin/true"],
        ["submit", "--files", "/nonexistent", "/bin/true"], ["submit", "--verbose=1", "/bin/true"],
        ["submit", "--conf", "millrace.app.name=a\nb", "--master", "x\ny", "/bin/true"],
    ])
    func nonsenseIsOneLineAndExitCode2(arguments: [String]) throws {
        let program = try Program.run(arguments)
        #expect(program.status == ExitCode.misuse)
        #expect(program.isOneLineOfComplaint, "\(program.output)\(program.errors)")
        #expect(program.errors.hasPrefix("millrace: "))
    }
}
