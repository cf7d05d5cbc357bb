import MillraceBase
import MillraceCore
import Testing

@testable import MillraceExecutor

/// What is parked on an executor, and what lets it go. Here executor 0 runs map task 0 and reduce
/// tasks 0 and 2, executor 1 the rest.
@Suite struct ResidentGrantsTests {
    private static let grant = Grant(
        id: GrantID(4), batches: 8, query: "q",
        stages: [
            GrantedStage(
                plan: PlanHash(high: 1, low: 1), parents: [], reducerCount: 3,
                executors: [ExecutorID(0), ExecutorID(1)]),
            GrantedStage(
                plan: PlanHash(high: 1, low: 2), parents: [0], reducerCount: 0,
                executors: [ExecutorID(0), ExecutorID(1), ExecutorID(0)]),
        ])

    private static func batch(_ number: Int) -> GrantedBatch {
        GrantedBatch(
            grant: grant.id, job: JobID(number), batch: BatchID(number),
            firstStage: StageID(2 * number), firstTask: TaskID(5 * number),
            shuffles: [ShuffleID(number)], inputs: [[1], [2], [3]])
    }

    private static func ready(
        _ map: Int, of batch: Int, blocks: [MapOutputReady.Block] = []
    ) -> MapOutputReady {
        MapOutputReady(
            grant: grant.id, shuffle: ShuffleID(batch),
            status: MapStatus(
                executor: ExecutorID(map), mapTask: TaskID(5 * batch + map), mapIndex: map,
                sizes: BlockSizes([1, 1, 1])), blocks: blocks)
    }

    private var grants = ResidentGrants()
    private let plans = ResidentPlans()

    init() { grants.add(Self.grant, on: ExecutorID(0)) }

    @Test mutating func `map tasks run at once, reduce tasks when all outputs are there`() throws {
        let (begun, over) = try grants.begin(Self.batch(1), plans: plans)
        #expect(begun.tasks.map(\.task.id) == [TaskID(5)])
        #expect(begun.tasks[0].task.input == [1])
        #expect(begun.tasks[0].stage?.setup.outputShuffle == ShuffleID(1))
        #expect(over.isEmpty)
        #expect(grants.take(Self.ready(1, of: 1)).tasks.isEmpty)
        let released = grants.take(Self.ready(0, of: 1))
        #expect(released.tasks.map(\.task.id) == [TaskID(7), TaskID(9)])
        #expect(released.tasks.map(\.task.partition) == [0, 2])
        #expect(released.tasks.map(\.task.input) == [[2], [3]])
        #expect(released.tasks[0].stage?.setup.inputShuffles == [ShuffleID(1)])
        #expect(released.inputs.map { $0.outputs.statuses.map { $0?.mapIndex } } == [[0, 1]])
        let (_, ended) = try grants.begin(Self.batch(2), plans: plans)
        #expect(ended == [ShuffleID(1)], "the batch before is over")
    }

    @Test mutating func `an output that is announced twice counts once`() throws {
        _ = try grants.begin(Self.batch(1), plans: plans)
        for _ in 0..<3 { #expect(grants.take(Self.ready(1, of: 1)).tasks.isEmpty) }
        #expect(grants.take(Self.ready(0, of: 1)).tasks.count == 2)
        #expect(grants.take(Self.ready(0, of: 1)).tasks.isEmpty)
    }

    @Test mutating func `what is announced before the batch is kept for it`() throws {
        #expect(grants.take(Self.ready(0, of: 1)).tasks.isEmpty)
        #expect(grants.take(Self.ready(1, of: 1)).tasks.isEmpty)
        #expect(grants.take(Self.ready(1, of: 2)).tasks.isEmpty)
        let (begun, _) = try grants.begin(Self.batch(1), plans: plans)
        #expect(begun.tasks.map(\.task.id) == [TaskID(5), TaskID(7), TaskID(9)])
        _ = try grants.begin(Self.batch(2), plans: plans)
        #expect(grants.take(Self.ready(0, of: 2)).tasks.count == 2)
    }

    @Test mutating func `what is kept for batches that never come is limited`() throws {
        let large = [MapOutputReady.Block(reduce: 0, bytes: [UInt8](repeating: 0, count: 1 << 20))]
        for batch in 100..<200 { _ = grants.take(Self.ready(0, of: batch, blocks: large)) }
        #expect(grants.take(Self.ready(0, of: 1)).tasks.isEmpty)
        let (old, _) = try grants.begin(Self.batch(100), plans: plans)
        #expect(old.tasks.count == 1)
        #expect(grants.take(Self.ready(1, of: 100)).tasks.isEmpty, "map 0 was dropped")
        // The driver says it again.
        let told = grants.take(
            MapOutputs(
                shuffle: ShuffleID(100), epoch: 1,
                statuses: [0, 1].map { Self.ready($0, of: 100).status }))
        #expect(told.tasks.count == 2)
    }

    @Test mutating func `small blocks come with the word, those of other reducers do not mix`()
        throws
    {
        _ = try grants.begin(Self.batch(1), plans: plans)
        _ = grants.take(
            Self.ready(
                1, of: 1, blocks: [.init(reduce: 0, bytes: [7]), .init(reduce: 2, bytes: [8, 9])]))
        let inputs = grants.take(Self.ready(0, of: 1)).inputs
        #expect(inputs[0].blocks.of(reduce: 0) == [TaskID(6): [7]])
        #expect(inputs[0].blocks.of(reduce: 2) == [TaskID(6): [8, 9]])
        #expect(inputs[0].blocks.of(reduce: 1).isEmpty)
    }

    @Test mutating func `a grant that is taken back lets go of what is parked`() throws {
        _ = try grants.begin(Self.batch(1), plans: plans)
        let taken = grants.remove(Self.grant.id)
        let removed = try #require(taken)
        #expect(removed.parked.map(\.task.id) == [TaskID(7), TaskID(9)])
        #expect(removed.tasks == 5..<10)
        #expect(removed.shuffles == [ShuffleID(1)])
        #expect(grants.take(Self.ready(0, of: 1)).tasks.isEmpty)
        let again = grants.remove(Self.grant.id)
        #expect(again == nil)
    }

    @Test mutating func `a batch that fits no grant is refused`() {
        var stray = Self.batch(1)
        stray.grant = GrantID(5)
        #expect(throws: PlanError.self) { try grants.begin(stray, plans: plans) }
        var short = Self.batch(1)
        short.inputs.removeLast()
        #expect(throws: PlanError.self) { try grants.begin(short, plans: plans) }
    }
}
