import Foundation
import MillraceBase
import Testing

@Suite struct SubmitTests {
    /// Submits a shell script that prints the settings it was given.
    private func settings(
        _ flags: [String], environment: [String: String] = [:]
    ) throws -> [String] {
        let program = try Program.run(
            ["submit"] + flags + ["/bin/sh", "-c", "printf %s \"$MILLRACE_CONF\""],
            environment: environment)
        #expect(program.status == 0, "\(program.errors)")
        return program.output.split(separator: "\n").map(String.init)
    }

    private func propertiesFile(_ text: String, in folder: String = "p") throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("millrace-defaults.conf")
        try Data(text.utf8).write(to: file)
        return file
    }

    @Test func flagsAreStrongerThanConfAndConfThanTheFile() throws {
        let file = try propertiesFile(
            """
            spark.master local[1]
            spark.app.name file
            spark.executor.memory 3g
            spark.task.maxFailures 9
            """)
        let found = try settings([
            "--name", "flag", "--properties-file", file.path, "--conf", "spark.app.name=conf",
            "-c", "millrace.executor.memory=2g",
        ])
        #expect(
            found == [
                "millrace.app.name=flag", "millrace.executor.memory=2g", "millrace.master=local[1]",
                "millrace.task.maxFailures=9",
            ])
    }

    @Test func theDefaultsFileIsReadFromTheConfDirectory() throws {
        let file = try propertiesFile("millrace.task.maxFailures=7\n")
        let directory = ["MILLRACE_CONF_DIR": file.deletingLastPathComponent().path]
        #expect(
            try settings([], environment: directory) == [
                "millrace.app.name=sh", "millrace.task.maxFailures=7",
            ])
        let other = try propertiesFile("millrace.task.maxFailures=8\n")
        #expect(
            try settings(["--properties-file", other.path], environment: directory).last
                == "millrace.task.maxFailures=8")
    }

    @Test func flagsStandForSettings() throws {
        let found = try settings([
            "--master", "local-cluster[2,1,1024]", "--deploy-mode", "client", "--num-executors",
            "3", "--executor-cores=2", "--executor-memory", "512m", "--driver-memory", "2g",
            "--files", "/etc/passwd,/etc/../etc/group",
        ])
        #expect(
            found == [
                "millrace.app.name=sh", "millrace.driver.memory=2g", "millrace.executor.cores=2",
                "millrace.executor.instances=3", "millrace.executor.memory=512m",
                "millrace.files=/etc/passwd,/etc/group", "millrace.master=local-cluster[2,1,1024]",
                "millrace.submit.deployMode=client",
            ])
    }

    @Test(
        arguments: [
            ("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137),
            ("kill -TERM $$", 143),
        ] as [(String, Int32)])
    func theExitCodeIsTheApplications(script: String, status: Int32) throws {
        #expect(try Program.run(["submit", "/bin/sh", "-c", script]).status == status)
    }

    @Test func theApplicationGetsItsArgumentsUntouched() throws {
        let program = try Program.run([
            "submit", "--name", "x", "/bin/sh", "-c", "printf '[%s]' \"$@\"", "name", "--name",
            "a b", "", "--",
        ])
        #expect(program.output == "[--name][a b][][--]")
    }

    @Test func aProgramThatIsNotThereOrNotOneHasTheShellsExitCodes() throws {
        for (path, status) in [
            ("/nonexistent/program", ExitCode.programNotFound),
            ("/etc/passwd", ExitCode.notExecutable),
            ("/", ExitCode.notExecutable),
        ] {
            let program = try Program.run(["submit", path])
            #expect(program.status == status)
            #expect(program.isOneLineOfComplaint, "\(program.errors)")
            #expect(program.errors.contains(path))
        }
    }

    @Test func sparkSettingsWithoutMeaningAreNamedInOneLine() throws {
        let program = try Program.run([
            "submit", "-c", "spark.kryoserializer.buffer.max=64m", "-c", "spark.jars=a.jar",
            "/bin/true",
        ])
        #expect(program.status == 0)
        #expect(program.isOneLineOfComplaint)
        #expect(program.errors.contains("spark.kryoserializer.buffer.max, spark.jars"))
    }

    @Test func verboseShowsTheSettingsButNoSecret() throws {
        let program = try Program.run([
            "submit", "-v", "-c", "spark.authenticate.secret=hunter2", "-c",
            "spark.app.name=words", "/bin/true",
        ])
        #expect(program.errors.contains("millrace.app.name=words\n"))
        #expect(program.errors.contains("millrace.authenticate.secret=*"))
        #expect(!program.errors.contains("hunter2"))
    }

    @Test func aWrongLineOfAPropertiesFileIsNamed() throws {
        let file = try propertiesFile("# fine\nspark.task.maxFailures none\n")
        let program = try Program.run(["submit", "--properties-file", file.path, "/bin/true"])
        #expect(program.status == ExitCode.misuse)
        let reason = "spark.task.maxFailures=none is not an integer"
        #expect(program.errors == "millrace: submit: \(file.path):2: \(reason)\n")
    }

    @Test(arguments: ["local[2]", "local-cluster[2,1,256]"])
    func theWordCountOfTheReadmeCounts(master: String) throws {
        let license = "/usr/share/common-licenses/Apache-2.0"
        let text = try String(contentsOfFile: license, encoding: .utf8)
        var expected: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            for word in line.split(separator: " ") { expected[String(word), default: 0] += 1 }
        }
        let application = Program.directory.appendingPathComponent("WordCount").path
        let program = try Program.run(["submit", "--master", master, application, license])
        #expect(program.status == 0, "\(program.errors)")
        let lines = program.output.split(separator: "\n").map(String.init).sorted()
        #expect(lines == expected.map { "\($0.key) \($0.value)" }.sorted())
    }
}
