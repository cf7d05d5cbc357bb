/// `<version>.<first>-<last>.<run>.delta` or `.snapshot`: all that planning needs to know of a
/// state file. A file of no run (0) has no number there.
struct StateFileName: Hashable, Sendable {
    var kind: DeltaWriter.Kind
    var version: Int
    var groups: Range<Int>
    /// Of the query's start that wrote it.
    var run: Int

    init(_ kind: DeltaWriter.Kind, version: Int, groups: Range<Int>, run: Int = 0) {
        self.kind = kind
        self.version = version
        self.groups = groups
        self.run = run
    }

    /// Nil for any other file (temporary, foreign, or "+1", "007", which aren't ours).
    init?(_ name: String) {
        var reader = FileNameReader(name)
        guard let version = reader.number(), version > 0, reader.skip("."),
            let first = reader.number(), reader.skip("-"),
            let last = reader.number(), reader.skip("."),
            last >= first, last < Int(UInt32.max)
        else { return nil }
        var run = 0
        if let number = reader.number() {
            guard number > 0, reader.skip(".") else { return nil }
            run = number
        }
        guard let kind = reader.kind() else { return nil }
        self.init(kind, version: version, groups: first..<(last + 1), run: run)
    }

    var text: String {
        let suffix = kind == .delta ? "delta" : "snapshot"
        let range = "\(groups.lowerBound)-\(groups.upperBound - 1)"
        return run == 0 ? "\(version).\(range).\(suffix)" : "\(version).\(range).\(run).\(suffix)"
    }
}

extension FileNameReader {
    fileprivate func kind() -> DeltaWriter.Kind? {
        if ends(with: "delta") { return .delta }
        return ends(with: "snapshot") ? .snapshot : nil
    }
}
