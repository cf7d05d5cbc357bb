import CBenchFloor
import Foundation
import MillraceBase

/// What the machine can do at all, measured after a benchmark: the same work as one thread of C,
/// memory, and a socket of loopback. `ratio` is the benchmark's rate divided by C's.
struct Floor: Encodable {
    var c_s: Double?
    var c_rate: Double?
    var ratio: Double?
    var memory_read_gb_per_s: Double?
    var memory_copy_gb_per_s: Double?
    var sendfile_gb_per_s: Double?

    /// `work` is in the unit of the benchmark's rate.
    private init(seconds: Double, work: Double, ours: Double) {
        c_s = seconds
        c_rate = work / seconds
        ratio = ours * seconds / work
        let bytes = 256 << 20
        memory_read_gb_per_s = Double(bytes) / 1e9 / cbench_memory_read(bytes)
        memory_copy_gb_per_s = Double(bytes) / 1e9 / cbench_memory_copy(bytes)
        sendfile_gb_per_s =
            Double(bytes) / 1e9 / cbench_sendfile(NSTemporaryDirectory(), bytes)
    }

    /// Not measured.
    init() {}

    static func words(
        _ path: String, megabytes: Double, ours: Double, expected: (distinct: Int, words: Int)
    ) throws -> Floor {
        var (distinct, words): (Int64, Int64) = (0, 0)
        let seconds = cbench_wordcount(path, &distinct, &words)
        try check(
            seconds > 0 && distinct == expected.distinct && words == expected.words,
            "C counts \(distinct) different words of \(words), we \(expected)")
        return Floor(seconds: seconds, work: megabytes, ours: ours)
    }

    static func groups(rows: Int, keys: Int, ours: Double) throws -> Floor {
        var (distinct, sum): (Int64, Int64) = (0, 0)
        let seconds = cbench_groupby(Int64(rows), Int64(keys), &distinct, &sum)
        try check(sum == rows * (rows - 1) / 2, "C sums to \(sum)")
        return Floor(seconds: seconds, work: Double(rows) / 1e6, ours: ours)
    }

    /// A quarter of the records, because C keeps them in memory twice.
    static func sort(records: Int, partitions: Int, ours: Double) throws -> Floor {
        var isSorted: Int32 = 0
        let seconds = cbench_sort(Int64(records / 4), Int64(partitions), &isSorted)
        try check(isSorted == 1, "C's records are out of order")
        return Floor(seconds: seconds, work: Double(records / 4) * 100 / 1e6, ours: ours)
    }

    private static func check(_ holds: Bool, _ otherwise: String) throws {
        guard holds else { throw MillraceError(.jobAborted, otherwise) }
    }
}
