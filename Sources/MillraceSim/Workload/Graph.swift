import MillraceBase
import MillraceCore
import MillraceDriver

/// The datasets of one application, drawn from the seed: sources, steps on one parent, joins of
/// shuffled parents. Jobs of the application compute some of them, and share their shuffles.
///
/// Knows both sides: how a job's lineage and plans look to the driver, and what one thread computes
/// (`rows`), against which every result is compared.
struct Graph {
    enum Kind {
        case source(seed: UInt64, rows: Int)
        case step(parent: Int, Program.Instruction)
        /// Reads these shuffles (indexes in `shuffles`).
        case join([Int])
    }

    struct Dataset {
        var kind: Kind
        var partitions: Int
        /// Which partition has a row is up to chance: only all partitions together are known.
        var isScattered = false
        /// Made by barrier(): its tasks wait for each other.
        var isBarrier = false
    }

    struct Shuffle {
        var parent: Int
        var reducers: Int
        var id: ShuffleID
        /// Its map tasks deal their rows out by chance.
        var isScattered: Bool
    }

    /// What to draw.
    struct Shape {
        /// Most partitions of a dataset.
        var width: Int
        /// Of a thousand shuffles, so many are scattered.
        var scattered: Int
        /// Of a thousand inputs, so many are shuffles that another dataset reads too.
        var shared = 300
        /// Of a thousand datasets, so many are joins.
        var joins = 500
        /// Parents are among so many datasets that were drawn last.
        var recent = Int.max
        /// Whether all shuffles have as many reducers, so that any can be shared.
        var isUniform = false
    }

    private(set) var datasets: [Dataset] = []
    private(set) var shuffles: [Shuffle] = []
    private var known: [[[Row]]?] = []
    private let shape: Shape
    private var nextShuffle = ShuffleID(0)

    // MARK: Drawing

    init(_ random: inout SplitMix64, _ shape: Shape) {
        let count = random.within(3...8)
        self.shape = shape
        add(source(&random))
        while datasets.count < count {
            if random.chance(shape.joins) {
                add(join(&random))
            } else if random.chance(400) {
                add(source(&random))
            } else {
                let parent = random.below(datasets.count)
                add(
                    Dataset(
                        kind: .step(parent: parent, step(&random, on: datasets[parent])),
                        partitions: datasets[parent].partitions,
                        isScattered: datasets[parent].isScattered))
            }
        }
    }

    private mutating func add(_ dataset: Dataset) {
        datasets.append(dataset)
        known.append(nil)
    }

    private func source(_ random: inout SplitMix64) -> Dataset {
        Dataset(
            kind: .source(seed: random.next(), rows: random.below(7)),
            partitions: random.within(1...shape.width))
    }

    private func step(
        _ random: inout SplitMix64, on parent: Dataset
    ) -> Program.Instruction {
        switch random.below(parent.isScattered ? 2 : 3) {
        case 0: .map(add: Int64(1 + random.below(9)))
        case 1: .filter(multiple: Int64(2 + random.below(3)))
        default: .sumByKey
        }
    }

    private mutating func join(_ random: inout SplitMix64) -> Dataset {
        let reducers = shape.isUniform ? shape.width : random.within(1...shape.width)
        var inputs: [Int] = []
        for _ in 0..<(random.chance(250) ? 2 : 1) {
            // Now and then a shuffle that another dataset reads too.
            let shared = shuffles.indices.filter { shuffles[$0].reducers == reducers }
            if random.chance(shape.shared), let old = shared.last, !inputs.contains(old) {
                inputs.append(old)
            } else {
                inputs.append(shuffles.count)
                shuffles.append(
                    Shuffle(
                        parent: datasets.count - 1
                            - random.below(min(datasets.count, shape.recent)),
                        reducers: reducers,
                        id: nextShuffle, isScattered: random.chance(shape.scattered)))
                nextShuffle = nextShuffle.next
            }
        }
        return Dataset(
            kind: .join(inputs), partitions: reducers,
            isScattered: inputs.contains { shuffles[$0].isScattered })
    }

    /// Makes some datasets barrier ones, of those that fit into so many slots. False when there are
    /// none.
    mutating func drawBarriers(_ random: inout SplitMix64, chance: Int, slots: Int) -> Bool {
        for index in datasets.indices where datasets[index].partitions <= slots {
            datasets[index].isBarrier = random.chance(chance)
        }
        return datasets.contains { $0.isBarrier }
    }

    /// Whether the stage that ends with a dataset is a barrier stage.
    func isBarrierStage(_ dataset: Int) -> Bool {
        if datasets[dataset].isBarrier { return true }
        guard case .step(let parent, _) = datasets[dataset].kind else { return false }
        return isBarrierStage(parent)
    }

    // MARK: What one thread computes

    mutating func rows(_ dataset: Int) -> [[Row]] {
        if let rows = known[dataset] { return rows }
        let partitions = datasets[dataset].partitions
        var rows: [[Row]]
        switch datasets[dataset].kind {
        case .source(let seed, let count):
            rows = (0..<partitions).map { Program.source(seed, rows: count, partition: $0) }
        case .step(let parent, let instruction):
            rows = self.rows(parent)
            for partition in rows.indices { Program.apply(instruction, to: &rows[partition]) }
        case .join(let inputs):
            rows = [[Row]](repeating: [], count: partitions)
            for input in inputs {
                var gathered = [[Row]](repeating: [], count: partitions)
                for part in self.rows(shuffles[input].parent) {
                    for row in part {
                        gathered[Int(row.key) * partitions / Program.keys].append(row)
                    }
                }
                for partition in rows.indices {
                    rows[partition] +=
                        shuffles[input].isScattered
                        ? gathered[partition] : Program.summed(gathered[partition])
                }
            }
        }
        known[dataset] = rows
        return rows
    }

    // MARK: What the driver is told

    /// A job that computes these partitions of a dataset, with the plans it brings.
    func job(
        _ id: JobID, _ dataset: Int, partitions: [Int]?, output: Program.Output,
        properties: JobProperties, counts: Bool, preferred: (Int) -> [[ExecutorID]]
    ) -> (job: JobDescription, plans: [PlanBytes]) {
        var isReached = [Bool](repeating: false, count: datasets.count)
        isReached[dataset] = true
        var plans: [PlanBytes] = []
        var nodes: [LineageNode] = []
        for index in stride(from: dataset, through: 0, by: -1) where isReached[index] {
            var dependencies: [Dependency] = []
            switch datasets[index].kind {
            case .source: break
            case .step(let parent, _):
                isReached[parent] = true
                dependencies = [.narrow(RDDID(parent))]
            case .join(let inputs):
                for input in inputs {
                    let shuffle = shuffles[input]
                    isReached[shuffle.parent] = true
                    dependencies.append(
                        .shuffle(
                            ShuffleDependency(
                                shuffle: shuffle.id, parent: RDDID(shuffle.parent),
                                reducerCount: shuffle.reducers,
                                map: plan(
                                    shuffle.parent, shuffle.isScattered ? .scatter : .shuffle,
                                    counts ? Ledger.accumulator(of: shuffle.id) : nil, &plans))))
                }
            }
            nodes.append(
                LineageNode(
                    id: RDDID(index), partitionCount: datasets[index].partitions,
                    dependencies: dependencies, preferredExecutors: preferred(index),
                    isBarrier: datasets[index].isBarrier))
        }
        nodes.reverse()
        let job = JobDescription(
            id: id, lineage: Lineage(nodes: nodes), finalRDD: RDDID(dataset),
            partitions: partitions,
            final: plan(dataset, output, counts ? Ledger.accumulator(of: id) : nil, &plans),
            properties: properties)
        return (job, plans)
    }

    private func plan(
        _ dataset: Int, _ output: Program.Output, _ accumulator: AccumulatorID?,
        _ plans: inout [PlanBytes]
    ) -> StagePlan {
        var program = Program(instructions: [], output: output, accumulator: accumulator)
        var inputs: [ShuffleID] = []
        compile(dataset, &program, &inputs)
        let bytes = program.encoded()
        let hash = PlanHash(of: bytes)
        plans.append(PlanBytes(hash: hash, bytes: bytes))
        return StagePlan(
            plan: hash, inputShuffles: inputs, isIndeterminate: output == .scatter)
    }

    private func compile(_ dataset: Int, _ program: inout Program, _ inputs: inout [ShuffleID]) {
        switch datasets[dataset].kind {
        case .source(let seed, let rows):
            program.instructions.append(.source(seed: seed, rows: rows))
        case .step(let parent, let instruction):
            compile(parent, &program, &inputs)
            program.instructions.append(instruction)
        case .join(let shuffles):
            for (place, shuffle) in shuffles.enumerated() {
                program.instructions.append(
                    self.shuffles[shuffle].isScattered
                        ? .gather(input: inputs.count) : .read(input: inputs.count))
                inputs.append(self.shuffles[shuffle].id)
                if place > 0 { program.instructions.append(.union) }
            }
        }
    }

    /// No job will read the shuffle under its present id, nor what is computed from it; whoever
    /// reads it next does so under a new one. Returns the old ids.
    mutating func renew(_ shuffle: Int) -> [ShuffleID] {
        var isStale = [Bool](repeating: false, count: shuffles.count)
        isStale[shuffle] = true
        var old = [renewed(shuffle)]
        // A shuffle's parent reads only shuffles that were drawn before.
        for later in shuffles.indices.dropFirst(shuffle + 1)
        where sources(of: shuffles[later].parent).contains(where: { isStale[$0] }) {
            isStale[later] = true
            old.append(renewed(later))
        }
        return old
    }

    /// An id that no other shuffle of the application has.
    mutating func newShuffle() -> ShuffleID {
        defer { nextShuffle = nextShuffle.next }
        return nextShuffle
    }

    private mutating func renewed(_ shuffle: Int) -> ShuffleID {
        let old = shuffles[shuffle].id
        shuffles[shuffle].id = newShuffle()
        return old
    }

    /// The shuffles that a dataset reads within its stage.
    func sources(of dataset: Int) -> [Int] {
        switch datasets[dataset].kind {
        case .source: []
        case .step(let parent, _): sources(of: parent)
        case .join(let shuffles): shuffles
        }
    }
}
