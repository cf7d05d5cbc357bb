import MillraceBase

/// What the results of one job's tasks take together: the driver holds them all until the job ends,
/// so a job that brings too much is given up before it takes the driver with it.
struct ResultSize: Sendable {
    private(set) var tasks = 0
    private(set) var bytes = 0

    /// Counts one more result. Why the job is to be given up, or nil. Spark's words, because people
    /// search for them.
    mutating func add(_ count: Int, limit: Int) -> String? {
        tasks += 1
        bytes += count
        guard limit > 0, bytes > limit else { return nil }
        codeProbe(.resultsTooLarge)
        return """
            Total size of serialized results of \(tasks) tasks (\(ByteCount(bytes))) is bigger \
            than millrace.driver.maxResultSize (\(ByteCount(limit)))
            """
    }
}
