import MillraceBase

/// Where one map task's output lies and how large its blocks are.
public struct MapStatus: Hashable, Sendable {
    public var executor: ExecutorID
    /// Names the block files: two attempts of one map task never share a name.
    public var mapTask: TaskID
    public var mapIndex: Int
    public var sizes: BlockSizes

    public init(executor: ExecutorID, mapTask: TaskID, mapIndex: Int, sizes: BlockSizes) {
        self.executor = executor
        self.mapTask = mapTask
        self.mapIndex = mapIndex
        self.sizes = sizes
    }
}

/// The known map outputs of one shuffle, for an executor that will read them.
public struct MapOutputs: Sendable {
    public var shuffle: ShuffleID
    /// Changes with every status that comes or goes: a copy with another epoch is stale.
    public var epoch: UInt64
    /// By map index; `nil` where nothing is known.
    public var statuses: [MapStatus?]
    public var merged: MergedOutputs?

    public init(
        shuffle: ShuffleID, epoch: UInt64, statuses: [MapStatus?], merged: MergedOutputs? = nil
    ) {
        self.shuffle = shuffle
        self.merged = merged
        self.epoch = epoch
        self.statuses = statuses
    }
}

/// Bytes for each reducer, one byte each: exact up to 10, then at most 10 % too large, never too
/// small; 0 stays 0.
///
/// Same idea as Spark's `MapStatus.compressSize`. Encoding what was decoded gives the same bytes,
/// so statuses may be passed on through any number of processes.
public struct BlockSizes: Hashable, Sendable {
    /// Codes, by reducer.
    public let codes: [UInt8]

    /// Negative sizes count as 0.
    public init(_ sizes: some Sequence<Int>) { codes = sizes.map(BlockSizes.code) }
    /// Takes over what another process encoded. Every byte is a valid code.
    public init(codes: [UInt8]) { self.codes = codes }

    public var count: Int { codes.count }
    /// Bytes for one reducer, rounded up.
    public subscript(reducer: Int) -> Int { BlockSizes.table[Int(codes[reducer])] }
    /// Bytes for all reducers together.
    public var total: Int { codes.reduce(0) { $0 + BlockSizes.table[Int($1)] } }

    /// Smallest code whose size is at least `size`; the largest code for anything above (about 100
    /// GB).
    static func code(_ size: Int) -> UInt8 {
        var low = 0
        var high = table.count - 1
        while low < high {
            let middle = (low + high) / 2
            if table[middle] >= size { high = middle } else { low = middle + 1 }
        }
        return UInt8(low)
    }

    /// 0, 1, 2, … 10, 11, 13, 15, …: each 10 % above the one before, rounded up.
    static let table: [Int] = {
        var sizes = [0, 1]
        while sizes.count < 256 { sizes.append((sizes[sizes.count - 1] * 11 + 9) / 10) }
        return sizes
    }()
}
