/// Which files make up a version of a range of key groups.
///
/// For each group the newest snapshot not after the version, then one delta per version from there:
/// whatever ranges they were written in. Pure: decides over names, reads nothing.
struct StatePlan {
    /// A file and the groups (of all) that are to be taken from it.
    struct Step {
        var name: StateFileName
        var isWanted: [Bool]
    }

    /// Ascending by version, of one version the snapshots before the deltas.
    private(set) var steps: [Step] = []
    private var stepOf: [StateFileName: Int] = [:]

    /// Throws `.notFound` naming the version and the group that no file covers.
    init(
        _ folder: StateFolder, _ files: [StateFileName], groups: Range<Int>, version: Int
    ) throws(StoreError) {
        let operation = "load version \(version) of the state in"
        if let foreign = files.first(where: { $0.groups.upperBound > folder.keyGroups }) {
            throw StoreError(
                .unsupported, operation, folder.path,
                "\(foreign.text) has more key groups than the \(folder.keyGroups) of now"
            )
        }
        // Where two files of one version cover a group (attempts with different ranges), take the
        // one that was written for just these groups, else the first by name: always the same one.
        let relevant = files.filter { $0.version <= version && $0.groups.overlaps(groups) }
            .sorted { left, right in
                if (left.groups == groups) != (right.groups == groups) {
                    return left.groups == groups
                }
                return (left.groups.lowerBound, left.groups.upperBound)
                    < (right.groups.lowerBound, right.groups.upperBound)
            }
        var deltas: [Int: [StateFileName]] = [:]
        for name in relevant where name.kind == .delta {
            deltas[name.version, default: []].append(name)
        }
        for group in groups {
            let base =
                relevant.filter { $0.kind == .snapshot && $0.groups.contains(group) }
                .max { $0.version < $1.version }
            if let base { want(group, base, of: folder.keyGroups) }
            let first = (base?.version ?? 0) + 1
            for step in first..<max(version + 1, first) {
                guard let delta = deltas[step]?.first(where: { $0.groups.contains(group) }) else {
                    throw StoreError(
                        .notFound, operation, folder.path,
                        "no file holds version \(step) of key group \(group)")
                }
                want(group, delta, of: folder.keyGroups)
            }
        }
        steps.sort {
            ($0.name.version, $1.name.kind.rawValue) < ($1.name.version, $0.name.kind.rawValue)
        }
    }

    private mutating func want(_ group: Int, _ name: StateFileName, of keyGroups: Int) {
        let index = stepOf[name] ?? steps.count
        if index == steps.count {
            steps.append(Step(name: name, isWanted: Array(repeating: false, count: keyGroups)))
            stepOf[name] = index
        }
        steps[index].isWanted[group] = true
    }
}
