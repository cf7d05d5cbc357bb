import MillraceBase

/// `millrace.shuffle.push.*`: how the blocks of a shuffle are merged by shuffle services.
public struct MergeSettings: Hashable, Sendable {
    /// `mergersMinThresholdRatio`: a shuffle isn't merged by fewer hosts than this part of those
    /// that it would take.
    public var minMergersRatio = 0.05
    /// `mergersMinStaticThreshold`: nor by fewer than so many.
    public var minMergers = 5
    /// Executors there may be, when dynamic allocation has a limit.
    public var maxExecutors: Int?
    /// `finalize.timeout`: how long the driver waits for pushes after a shuffle's last map output.
    public var finalizeTimeout: Duration = .seconds(10)
    /// `minShuffleSizeToWait`: for a smaller shuffle it doesn't.
    public var minSizeToWait = 500 << 20
    /// `minCompletedPushRatio`: it waits no longer when this part of the map outputs is pushed.
    public var minPushedRatio = 1.0
    /// `results.timeout`: how long it then waits for the mergers to say what they have.
    public var resultsTimeout: Duration = .seconds(10)

    public init() {}
}
