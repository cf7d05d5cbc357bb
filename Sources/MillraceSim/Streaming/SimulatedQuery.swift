import MillraceBase
import MillraceCore
import MillraceStore

/// A streaming query that sums a stream's values by key: real `MicroBatchExecution`, real logs,
/// state and sink manifest on the simulated disk.
///
/// What is kept here lives as long as the day; what lives as long as one start of the query is
/// `run`, gone with the driver.
final class SimulatedQuery {
    /// From a start to its end.
    final class Run {
        let number: Int
        var machine: MicroBatchExecution
        let checkpoint: CheckpointDirectory
        var state: StateFolder
        let sink: FileSinkLog
        /// Entries that the log was asked for, in order.
        var unwritten: [LogEntry] = []
        /// For `Canary.sinkBeforeLog`: offsets that should be durable.
        var unlogged: MicroBatch?
        var results: [[UInt8]] = []
        var job: JobID?
        var owners: [[ExecutorID]] = []
        var isStopping = false

        init(
            number: Int, machine: MicroBatchExecution, checkpoint: CheckpointDirectory,
            state: StateFolder, sink: FileSinkLog
        ) {
            self.number = number
            self.machine = machine
            self.checkpoint = checkpoint
            self.state = state
            self.sink = sink
        }
    }

    enum LogEntry {
        case offsets(MicroBatch)
        case commit(BatchID, nextWatermarkMs: Int64)
    }

    /// What a reader of the sink saw of a batch: from then on it must not change.
    struct Seen {
        var end: Int
        var rows: [Row]
    }

    let number: Int
    let seed: UInt64
    let splits: Int
    let partitions: Int
    let settings: MicroBatchExecution.Settings
    let snapshotInterval: Int
    var run: Run?
    var runs = 0
    /// So many rows are there.
    var head = 0
    /// Rows before this are gone.
    var released = 0
    /// What the batches read that this life of the driver ran.
    var ranges: [BatchID: Range<Int>] = [:]
    /// By batch.
    var seen: [Seen] = []
    /// Its last start came to an end of its own: all that is in the sink is in the log too.
    var hasEndedWell = false
    /// When the source has said that it has no more.
    var isDrained = false

    static let keyGroups = Program.keys

    init(number: Int, _ random: inout SplitMix64) {
        self.number = number
        seed = random.next()
        splits = random.within(1...3)
        partitions = random.pick([1, 2, 3, 4])
        snapshotInterval = random.pick([1, 2, 5])
        let trigger: Trigger.Kind =
            switch random.below(6) {
            case 0: .once
            case 1: .availableNow
            case 2: .processingTime(.milliseconds(50))
            default: .processingTime(.zero)
            }
        var settings = MicroBatchExecution.Settings(trigger: trigger, sources: 1)
        settings.pollingDelay = .milliseconds(random.pick([1, 10, 50]))
        settings.minBatchesToRetain = random.pick([1, 2, 100])
        settings.purgeInterval = random.pick([1, 3])
        self.settings = settings
    }

    var location: String { "/query-\(number)/checkpoint" }
    var output: String { "/query-\(number)/output" }

    /// A source's offset as JSON, and back.
    static func text(_ offset: Int) -> String { String(offset) }
    static func offset(_ text: String?) -> Int { text.flatMap { Int($0) } ?? 0 }

    /// The sums of all rows before that offset, by key. Goes on from where it was asked last.
    func sums(before end: Int) -> [Row] {
        if end < counted { (counted, totals) = (0, []) }
        totals = Program.summed(totals + Program.stream(seed, counted..<end))
        counted = end
        return totals
    }
    private var counted = 0
    private var totals: [Row] = []

    /// What a batch with that range must bring into the sink.
    func expected(_ range: Range<Int>) -> [Row] {
        let changed = Set(Program.stream(seed, range).map(\.key))
        return sums(before: range.upperBound).filter { changed.contains($0.key) }
    }
}
