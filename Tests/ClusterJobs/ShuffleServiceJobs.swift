import Glibc
import Millrace
import MillraceBase

/// Jobs that read map outputs of executors that are gone.
extension ClusterJobs {
    /// Says how many map tasks ran although every executor that ran them was killed.
    static func countMapTasksAfterKill(_ context: MillraceContext) async throws {
        let folder = temporaryFolder()
        let sums = context.range(0, 1_000, 1, 4).mapPartitionsWithIndex { index, rows in
            note(folder)
            return rows.map { ($0 % 10, $0) }
        }.reduceByKey(numPartitions: 4, +)
        let first = try await sums.collect()
        try await killAll(context)
        let second = try await sums.collect()
        check(Dictionary(uniqueKeysWithValues: first), Dictionary(uniqueKeysWithValues: second))
        print("map tasks: \(names(in: folder).count)")
    }

    /// Says in how many files a word of the rows can be read, and how many map tasks ran although
    /// every executor that ran them was killed.
    static func readEncryptedAfterKill(_ context: MillraceContext) async throws {
        let folder = temporaryFolder()
        let word = ["quetz", "alcoatlus"].joined()
        let rows = context.range(0, 4_000, 1, 4).mapPartitionsWithIndex { index, rows in
            note(folder)
            return rows.map { ($0 % 10, "\(word) \($0)") }
        }.partitionBy(HashPartitioner(4))
        let expected = (0..<4_000).map { "\($0 % 10) \(word) \($0)" }.sorted()
        check(try await rows.map { "\($0.0) \($0.1)" }.collect().sorted(), expected)
        let found = MemoryJobs.search(context.conf.application.localDirectory ?? "/tmp", word)
        print("the word is in \(found.plain) of \(found.files) files")
        try await killAll(context)
        check(try await rows.map { "\($0.0) \($0.1)" }.collect().sorted(), expected)
        print("map tasks: \(names(in: folder).count)")
    }

    /// A task in the middle of the job kills the service from which all its siblings read.
    static func killServiceWhileReading(
        _ context: MillraceContext, _ service: pid_t
    ) async throws {
        let marker = "\(temporaryFolder())/killed"
        let folder = temporaryFolder()
        let rows = context.range(0, 400_000, 1, 4).mapPartitionsWithIndex { _, rows in
            note(folder)
            return rows.map { ($0 % 40, $0) }
        }.partitionBy(HashPartitioner(40))
        check(try await rows.count(), 400_000)
        try await killAll(context)
        let sum = try await rows.mapPartitionsWithIndex { index, rows in
            if index == 20, once(marker) { kill(service, SIGKILL) }
            return rows.map { $0.1 }
        }.reduce { $0 &+ $1 }
        check(sum, 400_000 * 399_999 / 2)
        check(names(in: folder).count, 4)
    }

    static func killAll(_ context: MillraceContext) async throws {
        for executor in try await context.executors() {
            kill(pid_t(executor.processID), SIGKILL)
        }
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// One more file in the folder, of whichever process.
    static func note(_ folder: String) {
        var template = Array("\(folder)/XXXXXX\0".utf8)
        let file = template.withUnsafeMutableBytes {
            mkstemp($0.baseAddress!.assumingMemoryBound(to: CChar.self))
        }
        close(file)
    }
}

/// Whether this is the first call for the marker, over all processes.
private func once(_ marker: String) -> Bool {
    let file = open(marker, O_CREAT | O_EXCL | O_WRONLY, 0o600)
    if file >= 0 { close(file) }
    return file >= 0
}
