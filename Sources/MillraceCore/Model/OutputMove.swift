import MillraceBase

/// One map output on its way from an executor that leaves to one that stays.
public struct OutputMove: Hashable, Sendable {
    public var shuffle: ShuffleID
    public var mapIndex: Int
    /// Names the output's blocks, at both places.
    public var mapTask: TaskID
    public var sizes: BlockSizes
    public var from: ExecutorID
    public var to: ExecutorID

    public init(
        shuffle: ShuffleID, mapIndex: Int, mapTask: TaskID, sizes: BlockSizes, from: ExecutorID,
        to: ExecutorID
    ) {
        self.shuffle = shuffle
        self.mapIndex = mapIndex
        self.mapTask = mapTask
        self.sizes = sizes
        self.from = from
        self.to = to
    }

    func isSame(_ other: OutputMove) -> Bool {
        shuffle == other.shuffle && mapIndex == other.mapIndex && mapTask == other.mapTask
    }
}
