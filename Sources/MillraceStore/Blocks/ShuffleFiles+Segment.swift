import MillraceBase

extension ShuffleFiles {
    /// One reduce partition's place in a map task's output that another process wrote, without
    /// reading the whole index or checking it: what is read there says of itself whether it is what
    /// was written. nil when there is no such file, or nothing that makes sense in it.
    public static func segment(
        in folder: String, of fileSystem: any FileSystem, _ shuffle: ShuffleID, _ map: TaskID,
        _ partition: Int
    ) -> ShuffleDataFile.Segment? {
        let files = ShuffleFiles(reading: folder, of: fileSystem)
        guard let index = try? fileSystem.open(files.indexPath(shuffle, map)),
            let size = try? index.size(), size >= 12, size % 12 == 0,
            partition < size / 12 - 1,
            let places = try? index.read(at: 8 * partition, count: 16), places.count == 16,
            let sum = try? index.read(at: 8 * (size / 12) + 4 * partition, count: 4),
            sum.count == 4
        else { return nil }
        let start = Int(littleEndian(places[...], 0, Int64.self))
        let end = Int(littleEndian(places[...], 8, Int64.self))
        let path = files.dataPath(shuffle, map)
        guard start >= 0, end >= start, let bytes = try? fileSystem.size(path), end <= bytes else {
            return nil
        }
        return ShuffleDataFile.Segment(
            path: path, offset: start, length: end - start,
            checksum: littleEndian(sum[...], 0, UInt32.self))
    }
}
