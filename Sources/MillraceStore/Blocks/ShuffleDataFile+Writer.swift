import MillraceBase

extension ShuffleDataFile {
    /// Writes the blocks of partitions 0, 1, … in this order; used by one thread.
    ///
    /// Data goes to a temporary file; `commit` publishes data, then index, each by rename, so that
    /// a reader that finds an index finds its data.
    public final class Writer {
        private let files: ShuffleFiles
        private let dataPath: String
        private let indexPath: String
        private let temporary: String
        private var file: (any WritableFile)?
        private var buffer: [UInt8] = []
        private var offsets = [0]
        private var checksums: [UInt32] = []
        private var current = CRC32C()
        private var written = 0
        private let partitions: Int

        /// Small blocks are gathered up to this size before they are written. Spark's
        /// `spark.shuffle.file.buffer`.
        private static let bufferSize = 32 << 10

        init(
            _ files: ShuffleFiles, _ shuffle: ShuffleID, _ map: TaskID, partitions: Int
        ) throws(StoreError) {
            precondition(partitions > 0, "a shuffle has at least one reduce partition")
            self.files = files
            self.partitions = partitions
            dataPath = files.dataPath(shuffle, map)
            indexPath = files.indexPath(shuffle, map)
            temporary = StorePath.join(
                files.folder, TemporaryName.next(for: StorePath.name(of: dataPath)))
            file = try files.fileSystem.create(temporary, exclusively: true)
        }

        deinit { abort() }

        /// Appends to the block of `partition`, which must not be below the last one's.
        public func append(
            _ partition: Int, _ bytes: UnsafeRawBufferPointer
        ) throws(StoreError) {
            precondition(partition < partitions, "partition \(partition) of \(partitions)")
            precondition(partition >= checksums.count, "partition \(partition) is finished")
            finishPartitions(before: partition)
            current.update(bytes)
            written += bytes.count
            if buffer.count + bytes.count > Writer.bufferSize { try flush() }
            if bytes.count > Writer.bufferSize {
                try openFile().write(bytes)
            } else {
                buffer.append(contentsOf: bytes)
            }
        }

        public func append(_ partition: Int, _ bytes: [UInt8]) throws(StoreError) {
            let outcome = bytes.withUnsafeBytes { buffer in
                Result { () throws(StoreError) in try append(partition, buffer) }
            }
            try outcome.get()
        }

        /// Publishes both files. If a whole pair is there already (another attempt of the same
        /// map), that one stays and is returned.
        public func commit() throws(StoreError) -> ShuffleDataFile {
            finishPartitions(before: partitions)
            try flush()
            try openFile().close()
            file = nil
            let index = ShuffleIndex(offsets: offsets, checksums: checksums)
            let fileSystem = files.fileSystem
            do {
                if let existing = existingPair() {
                    try fileSystem.delete(temporary)
                    return existing
                }
                try fileSystem.rename(temporary, to: dataPath, replacing: true)
                try fileSystem.publish(to: indexPath, isDurable: false) { file throws(StoreError) in
                    try file.write(index.encode())
                }
            } catch {
                try? fileSystem.delete(temporary)
                // Without its index it's nothing.
                try? fileSystem.delete(dataPath)
                throw error
            }
            return ShuffleDataFile(fileSystem, dataPath, index)
        }

        /// Deletes what was written so far. Also done when released without `commit`.
        public func abort() {
            guard file != nil else { return }
            file = nil
            try? files.fileSystem.delete(temporary)
        }

        /// The files of another attempt, if they are whole and of as many partitions.
        private func existingPair() -> ShuffleDataFile? {
            guard let bytes = try? files.fileSystem.read(indexPath),
                let index = try? ShuffleIndex(decoding: bytes, path: indexPath),
                index.checksums.count == partitions,
                (try? files.fileSystem.size(dataPath)) == index.offsets[partitions]
            else { return nil }
            return ShuffleDataFile(files.fileSystem, dataPath, index)
        }

        private func finishPartitions(before partition: Int) {
            while checksums.count < partition {
                checksums.append(current.value)
                current = CRC32C()
                offsets.append(written)
            }
        }

        private func flush() throws(StoreError) {
            guard !buffer.isEmpty else { return }
            try openFile().write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }

        private func openFile() -> any WritableFile {
            guard let file else { preconditionFailure("the writer was committed or aborted") }
            return file
        }
    }
}
