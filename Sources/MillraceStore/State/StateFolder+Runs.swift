import MillraceBase

/// Which of a query's starts wrote a state file, and which start's files count.
///
/// A batch runs before its offsets are durable, so an executor of an older start that lives on (its
/// driver died, it is slow or cut off) may still write a version that the new start makes of other
/// rows, perhaps under the same name and after it. Therefore each start takes a number, says in a
/// file `<version>.<run>.run` from which version it went on, and marks its own files with the
/// number: `<version>.<first>-<last>.<run>.delta`. Of a version only the files of the newest run
/// that began before it count; nobody has to ask anybody for that, for the names say it. Files of
/// no run are from before there were runs, and count where no run had begun.
extension StateFolder {
    /// A start's mark.
    struct RunName: Hashable {
        /// It goes on from this version.
        var start: Int
        var run: Int

        init(start: Int, run: Int) {
            self.start = start
            self.run = run
        }

        /// Nil for any other file.
        init?(_ name: String) {
            var reader = FileNameReader(name)
            guard let start = reader.number(), reader.skip("."), let run = reader.number(),
                run > 0, reader.skip("."), reader.ends(with: "run")
            else { return nil }
            self.init(start: start, run: run)
        }

        var text: String { "\(start).\(run).run" }
    }

    /// Begins a new run, whose files `publish` writes from now on: with the last committed version,
    /// once when a query starts, before its first batch. Versions after that one, which were never
    /// committed, are deleted; what is written of them later by an older run doesn't count.
    public mutating func beginRun(after version: Int) throws(StoreError) {
        let names = try fileSystem.namesIfPresent(in: path)
        let runs = names.compactMap { RunName($0) }
        let used = names.compactMap { StateFileName($0)?.run } + runs.map(\.run)
        let new = RunName(start: version, run: (used.max() ?? 0) + 1)
        try fileSystem.writeDurably([], to: StorePath.join(path, new.text))
        run = new.run
        // All that they made was taken back.
        for old in runs where old.start >= version {
            try fileSystem.delete(StorePath.join(path, old.text))
        }
        try deleteVersions(after: version)
    }

    /// The state files that count, in a fixed order.
    func files() throws(StoreError) -> [StateFileName] {
        let names = try fileSystem.namesIfPresent(in: path)
        let runs = Runs(names)
        return names.compactMap { StateFileName($0) }.filter { $0.run == runs.run(of: $0.version) }
    }

    func runs() throws(StoreError) -> Runs { Runs(try fileSystem.namesIfPresent(in: path)) }

    /// Who made which version.
    struct Runs {
        private let marks: [RunName]

        init(_ names: [String]) {
            marks = names.compactMap { RunName($0) }.sorted { $0.run < $1.run }
        }

        /// 0 for none.
        func run(of version: Int) -> Int { marks.last { $0.start < version }?.run ?? 0 }
    }

    /// Deletes the marks of runs that made no version from `version` on.
    func purgeRuns(neededFrom version: Int) throws(StoreError) {
        let runs = try fileSystem.namesIfPresent(in: path).compactMap { RunName($0) }
        guard let first = runs.filter({ $0.start < version }).map(\.run).max() else { return }
        for old in runs where old.run < first {
            try fileSystem.delete(StorePath.join(path, old.text))
        }
    }
}
