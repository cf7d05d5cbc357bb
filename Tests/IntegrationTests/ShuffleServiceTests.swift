import Foundation
import TestProcess
import Testing

/// Map outputs that outlive their executors, over real processes.
@Suite(.serialized) struct ShuffleServiceTests {
    typealias Service = ShuffleServiceProcess

    @Test("with a shuffle service no map output is computed again when its executors die")
    func keepsMapOutputs() throws {
        let service = try Service()
        let outcome = try Program.built("ClusterJobs").run(
            ["count-map-tasks-after-kill"], environment: service.settings())
        #expect(outcome.output == "map tasks: 4\nok\n", "\(outcome.errors)")
        let status = try service.status()
        // Two executors, and the two that took their places; all forgotten with the application.
        #expect(status.contains(#""applicationsFinished":1"#), "\(status)")
        #expect(status.contains(#""registeredExecutorsSize":0"#), "\(status)")
        #expect(!status.contains(#""blocksServed":0"#), "\(status)")
    }

    @Test(
        "a service serves encrypted files, which it cannot read, when their executors are dead",
        arguments: [true, false])
    func encryptedFiles(isOn: Bool) throws {
        let service = try Service()
        let folder = service.folder.appendingPathComponent("local")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let outcome = try Program.built("ClusterJobs").run(
            ["read-encrypted-after-kill"],
            environment: service.settings(
                """
                millrace.local.dir=\(folder.path)
                millrace.io.encryption.enabled=\(isOn)
                millrace.shuffle.compress=false
                """))
        #expect(
            outcome.output == "the word is in \(isOn ? 0 : 4) of 4 files\nmap tasks: 4\nok\n",
            "\(outcome.output) \(outcome.errors)")
        #expect(try !service.status().contains(#""blocksServed":0"#))
    }

    @Test("without one they are computed again")
    func recomputesMapOutputs() throws {
        let outcome = try ClusterTests.run("count-map-tasks-after-kill")
        #expect(outcome.output == "map tasks: 8\nok\n", "\(outcome.errors)")
    }

    @Test("a service that is killed while a job reads from it goes on where it was")
    func restartWhileReading() throws {
        let service = try Service()
        let program = try Program.built("ClusterJobs").start(
            ["kill-service-while-reading", "\(service.program.process.processIdentifier)"],
            environment: service.settings(
                """
                millrace.shuffle.fetch.retryWait=200ms
                millrace.shuffle.fetch.maxRetries=50
                """))
        try service.restartWhenDead()
        let outcome = try program.wait(limit: 120)
        #expect(outcome.lastLine == "ok", "\(outcome.output) \(outcome.errors)")
    }

    @Test("two applications share a service and don't see each other")
    func twoApplications() throws {
        let service = try Service()
        let programs = try (0..<2).map { _ in
            try Program.built("ClusterJobs").start(
                ["count-map-tasks-after-kill"], environment: service.settings())
        }
        for program in programs {
            let outcome = try program.wait(limit: 120)
            #expect(outcome.output == "map tasks: 4\nok\n", "\(outcome.errors)")
        }
        #expect(try service.status().contains(#""applicationsFinished":2"#))
    }

    @Test("an executor that finds no service says so and ends")
    func missingService() throws {
        let outcome = try Program.built("ClusterJobs").run(
            ["three-stages"],
            environment: [
                "MILLRACE_CONF": """
                millrace.master=local-cluster[1,1,1024]
                millrace.shuffle.service.enabled=true
                millrace.shuffle.service.port=\(try freePort())
                millrace.shuffle.registration.timeout=200ms
                """
            ])
        #expect(outcome.code != 0)
        #expect(outcome.errors.contains("cannot register with the shuffle service"))
        #expect(outcome.errors.contains("millrace shuffle-service"))
    }
}
