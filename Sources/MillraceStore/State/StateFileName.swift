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

    /// Nil for any other file (temporary, foreign).
    init?(_ name: String) {
        guard let first = name.utf8.first, (0x30...0x39).contains(first) else { return nil }
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard parts.count == 3 || parts.count == 4,
            let kind = StateFileName.kind(String(parts[parts.count - 1])),
            let version = Int(parts[0]), version > 0,
            let run = parts.count == 3 ? 0 : Int(parts[2])
        else { return nil }
        let bounds = parts[1].utf8.split(
            separator: UInt8(ascii: "-"), omittingEmptySubsequences: false
        ).map { Substring($0) }
        guard bounds.count == 2, let first = Int(bounds[0]), let last = Int(bounds[1]),
            first >= 0, last >= first, last < Int(UInt32.max)
        else { return nil }
        self.init(kind, version: version, groups: first..<(last + 1), run: run)
        guard text == name else { return nil }  // "+1", "007": not ours
    }

    var text: String {
        let suffix = kind == .delta ? "delta" : "snapshot"
        let range = "\(groups.lowerBound)-\(groups.upperBound - 1)"
        return run == 0 ? "\(version).\(range).\(suffix)" : "\(version).\(range).\(run).\(suffix)"
    }

    private static func kind(_ suffix: String) -> DeltaWriter.Kind? {
        switch suffix {
        case "delta": .delta
        case "snapshot": .snapshot
        default: nil
        }
    }
}
