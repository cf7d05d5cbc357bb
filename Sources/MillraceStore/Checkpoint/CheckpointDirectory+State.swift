/// The state of all operators of a query, for the driver, which need not know their ids.
extension CheckpointDirectory {
    /// One folder per operator that has state, sorted by id. Empty before the first batch.
    public func stateFolders(
        keyGroups: Int = StateFolder.defaultKeyGroups
    ) throws(StoreError) -> [StateFolder] {
        var folders: [StateFolder] = []
        for entry in try fileSystem.listIfPresent(stateFolder)
        where entry.isFolder && !entry.name.hasPrefix(".") {
            folders.append(
                try StateFolder(
                    fileSystem, root: stateFolder, operatorID: entry.name, keyGroups: keyGroups))
        }
        return folders
    }

    /// Deletes every operator's state after `version`: to be called when a query starts, before its
    /// first batch, with the last committed version (the last committed batch + 1, or 0).
    public func deleteState(
        after version: Int, keyGroups: Int = StateFolder.defaultKeyGroups
    ) throws(StoreError) {
        for folder in try stateFolders(keyGroups: keyGroups) {
            try folder.deleteVersions(after: version)
        }
    }

    /// Deletes what no version from `version` on needs, of every operator.
    public func purgeState(
        neededFrom version: Int, keyGroups: Int = StateFolder.defaultKeyGroups
    ) throws(StoreError) {
        for folder in try stateFolders(keyGroups: keyGroups) {
            try folder.purge(neededFrom: version)
        }
    }
}
