import MillraceBase

/// Which rows of a stream a task reads.
struct StreamRange {
    var from: Int
    var to: Int

    init(_ offsets: Range<Int>) { (from, to) = (offsets.lowerBound, offsets.upperBound) }

    init(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        from = (try? reader.readCount(minimumSize: 0)) ?? 0
        to = (try? reader.readCount(minimumSize: 0)) ?? 0
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 8)
        writer.writeCount(from)
        writer.writeCount(to)
        return writer.bytes
    }
}

/// What a task must know to bring its partition of a query's state to the next version.
struct StateTarget {
    var query: Int
    /// The batch, which is also the version it starts from.
    var batch: Int
    var partitions: Int
    /// The start of the query, as a number that grows.
    var run: Int

    init(query: Int, batch: Int, partitions: Int, run: Int) {
        self.query = query
        self.batch = batch
        self.partitions = partitions
        self.run = run
    }

    init(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        query = (try? reader.readCount(minimumSize: 0)) ?? 0
        batch = (try? reader.readCount(minimumSize: 0)) ?? 0
        partitions = (try? reader.readCount(minimumSize: 0)) ?? 1
        run = (try? reader.readCount(minimumSize: 0)) ?? 0
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 8)
        writer.writeCount(query)
        writer.writeCount(batch)
        writer.writeCount(partitions)
        writer.writeCount(run)
        return writer.bytes
    }
}

/// What such a task hands to the sink's commit: the file it wrote.
struct SinkFile {
    var path: String
    var size: Int

    init(path: String, size: Int) {
        self.path = path
        self.size = size
    }

    init(decoding bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        path = try reader.readString()
        size = try reader.readCount(minimumSize: 0)
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.writeString(path)
        writer.writeCount(size)
        return writer.bytes
    }
}
