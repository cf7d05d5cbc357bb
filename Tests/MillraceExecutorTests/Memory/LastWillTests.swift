import MillraceBase
import Testing

@testable import MillraceExecutor

@Suite struct LastWillTests {
    private static func line(_ source: MemoryLimit.Source, consumers: Int) throws -> String {
        let manager = MemoryManager(
            limit: MemoryLimit(bytes: 512 << 20, source: source), total: 256 << 20,
            storageRegion: 128 << 20)
        let task = TaskMemory(manager: manager, task: TaskID(12))
        for number in 0..<consumers {
            try task.consumer("sort \(number)").reserve((8 - number) << 20)
        }
        return LastWill.line(resident: 300 << 20, group: 400 << 20, manager.ledger())
    }

    @Test("names the process's memory, its limit and the largest consumers")
    func line() throws {
        #expect(
            try Self.line(.setting, consumers: 2) == """
                resident 300.0 MiB of 512.0 MiB (millrace.executor.memory); execution 15.0 MiB \
                and storage 0 B of 256.0 MiB; sort 0 of task 12 8.0 MiB, sort 1 of task 12 7.0 MiB
                """)
    }

    @Test("names what the whole group uses when the group is the limit")
    func group() throws {
        #expect(
            try Self.line(.controlGroup, consumers: 0) == """
                resident 300.0 MiB of 512.0 MiB (its control group), 400.0 MiB in all of the \
                group; execution 0 B and storage 0 B of 256.0 MiB
                """)
    }

    @Test("stays one short line with many consumers")
    func many() throws {
        #expect(try Self.line(.setting, consumers: 7).hasSuffix("4.0 MiB and 2 more"))
    }
}
