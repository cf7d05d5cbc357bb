import MillraceBase

/// One range of key groups at one version as a map from bytes to bytes, in memory, durable by
/// version.
///
/// For operators without a typed map of their own. `commit` writes what changed since `open` and
/// leads to the next version; without it nothing is kept.
public struct StateStore {
    /// A key's group and value.
    private struct Slot: Equatable {
        var group: Int
        var value: [UInt8]
    }

    public let folder: StateFolder
    public let groups: Range<Int>
    /// The version that was opened or committed last.
    public private(set) var version: Int

    private var slots: [[UInt8]: Slot] = [:]
    /// What each changed key held at `version`; nil if nothing.
    private var before: [[UInt8]: Slot?] = [:]
    private var versionOfSnapshot: Int

    /// Reads that version. Throws if a file is missing or damaged and no other chain serves.
    public static func open(
        _ folder: StateFolder, groups: Range<Int>, version: Int
    ) throws(StoreError) -> StateStore {
        var store = StateStore(
            folder: folder, groups: groups, version: version,
            versionOfSnapshot: try folder.latestSnapshot(of: groups).map { min($0, version) } ?? 0)
        do {
            try StateLoader(folder, groups: groups, version: version).replay { group, key, value in
                store.slots[Array(key)] = value.map { Slot(group: group, value: Array($0)) }
            }
        } catch let error as StoreError {
            throw error
        } catch {
            preconditionFailure("only the store throws here: \(error)")
        }
        return store
    }

    private init(folder: StateFolder, groups: Range<Int>, version: Int, versionOfSnapshot: Int) {
        self.folder = folder
        self.groups = groups
        self.version = version
        self.versionOfSnapshot = versionOfSnapshot
    }

    /// Keys in it.
    public var count: Int { slots.count }

    public func get(_ key: [UInt8]) -> [UInt8]? { slots[key]?.value }

    public mutating func put(group: Int, _ key: [UInt8], _ value: [UInt8]) {
        precondition(groups.contains(group), "group \(group) is not in \(groups)")
        let old = slots.updateValue(Slot(group: group, value: value), forKey: key)
        if before[key] == nil { before[key] = .some(old) }
    }

    public mutating func remove(_ key: [UInt8]) {
        guard let old = slots.removeValue(forKey: key) else { return }
        if before[key] == nil { before[key] = .some(old) }
    }

    /// In no particular order.
    public func visit(
        _ body: (_ group: Int, _ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) rethrows {
        for (key, slot) in slots { try body(slot.group, key, slot.value) }
    }

    /// Makes the next version durable (and, every `snapshotInterval` versions, a snapshot of it)
    /// and returns it. After an error the store is as before and `commit` may be called again.
    @discardableResult
    public mutating func commit(snapshotInterval: Int = 10) throws(StoreError) -> Int {
        let next = version + 1
        var delta = DeltaWriter(.delta, version: next, groups: groups)
        for (key, old) in before.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            switch (slots[key], old) {
            case (let slot?, let old):
                if slot != old {
                    delta.put(group: slot.group, key: key, value: slot.value)
                }
            case (nil, let old?): delta.remove(group: old.group, key: key)
            case (nil, nil): break
            }
        }
        try folder.publish(delta)
        version = next
        before.removeAll(keepingCapacity: true)
        if next - versionOfSnapshot >= snapshotInterval { publishSnapshot() }
        return next
    }

    /// Back to the version that was opened or committed last.
    public mutating func abort() {
        for (key, old) in before { slots[key] = old }
        before.removeAll(keepingCapacity: true)
    }

    /// The delta is durable, so a snapshot that fails only makes the next load longer.
    private mutating func publishSnapshot() {
        do {
            try folder.publish(snapshot())
            versionOfSnapshot = version
        } catch {
            Log.warn("store", "snapshot of state not written", ["because": error])
        }
    }

    /// All keys at `version`; nothing may have changed since.
    func snapshot() -> DeltaWriter {
        precondition(before.isEmpty, "a snapshot holds a committed version")
        var snapshot = DeltaWriter(.snapshot, version: version, groups: groups)
        for (key, slot) in slots.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            snapshot.put(group: slot.group, key: key, value: slot.value)
        }
        return snapshot
    }
}
