import MillraceBase
import Testing

@testable import MillraceStore

/// What state should hold, version by version, kept in the simplest way.
struct StateModel {
    typealias Content = [[UInt8]: [UInt8]]
    static let keyGroups = 16
    /// By version; 0 is empty.
    var versions: [Content] = [[:]]

    static func group(of key: [UInt8]) -> Int { Int(key.last ?? 0) % keyGroups }

    /// Ten or so random changes of the newest version; returns them as (key, new value).
    mutating func change(using generator: inout SplitMix64) -> Content.Changes {
        var content = versions[versions.count - 1]
        var changes: Content.Changes = [:]
        for _ in 0..<Int.random(in: 0..<12, using: &generator) {
            let key = [1, UInt8.random(in: 0..<40, using: &generator)]
            let size = Int.random(in: 0..<20, using: &generator)
            let value: [UInt8]? =
                Bool.random(using: &generator)
                ? (0..<size).map { _ in .random(in: 0...3, using: &generator) } : nil
            content[key] = value
            changes[key] = .some(value)
        }
        versions.append(content)
        return changes
    }

    func content(_ version: Int, of groups: Range<Int>) -> Content {
        versions[version].filter { groups.contains(StateModel.group(of: $0.key)) }
    }
}

extension [[UInt8]: [UInt8]] {
    typealias Changes = [[UInt8]: [UInt8]?]
}

extension StateFolder {
    /// A folder of the model's number of groups.
    static func test(_ fileSystem: any FileSystem, _ root: String) throws(StoreError) -> StateFolder
    {
        try StateFolder(
            fileSystem, root: root, operatorID: "agg-0", keyGroups: StateModel.keyGroups)
    }

    /// Writes one version's changes, split as `ranges` says.
    func write(
        _ changes: StateModel.Content.Changes, version: Int, ranges: [Range<Int>]
    ) throws(StoreError) {
        for range in ranges {
            var delta = DeltaWriter(.delta, version: version, groups: range)
            for (key, value) in changes where range.contains(StateModel.group(of: key)) {
                if let value {
                    delta.put(group: StateModel.group(of: key), key: key, value: value)
                } else {
                    delta.remove(group: StateModel.group(of: key), key: key)
                }
            }
            try publish(delta)
        }
    }

    /// What the loader plays back, as a map.
    func load(_ version: Int, _ groups: Range<Int>) throws -> StateModel.Content {
        var content: StateModel.Content = [:]
        try StateLoader(self, groups: groups, version: version).replay { group, key, value in
            #expect(groups.contains(group))
            #expect(group == StateModel.group(of: Array(key)))
            content[Array(key)] = value.map { Array($0) }
        }
        return content
    }
}

/// Cuts all groups into one to five ranges.
func randomRanges(using generator: inout SplitMix64) -> [Range<Int>] {
    var cuts: Set<Int> = [0, StateModel.keyGroups]
    for _ in 0..<Int.random(in: 0..<5, using: &generator) {
        cuts.insert(Int.random(in: 1..<StateModel.keyGroups, using: &generator))
    }
    let sorted = cuts.sorted()
    return zip(sorted, sorted.dropFirst()).map { $0..<$1 }
}
