import MillraceBase
import MillraceCore

/// The files that tasks commit, one for each partition of a job: the last one that was written
/// counts, as with a rename.
struct CommittedFiles {
    struct File {
        var rows: [Row]
        var task: TaskID
    }

    struct Key: Hashable {
        var job: JobID
        var partition: Int
    }

    private(set) var files: [Key: File] = [:]

    mutating func write(_ rows: [Row], job: JobID, partition: Int, by task: TaskID) {
        files[Key(job: job, partition: partition)] = File(rows: rows, task: task)
    }

    subscript(job: JobID, partition: Int) -> File? {
        files[Key(job: job, partition: partition)]
    }
}
