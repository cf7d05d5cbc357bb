import MillraceBase

/// Cuts a job's lineage at its shuffles: what stages there are, what each reads, and whether the
/// description is sound.
///
/// Pure, and complete before anything is changed, so that an unsound job leaves no trace. Touches
/// only what the final RDD reaches, each node at most twice plus once for each stage that contains
/// it.
struct StageCut: Sendable {
    struct Draft: Sendable {
        /// `nil` for the final stage.
        var output: ShuffleDependency?
        var plan: StagePlan
        var partitionCount: Int
        var parents: [ShuffleID]
        var awaited: [ShuffleID]
        var preferred: PreferredLocations
        /// By its own doing, or because what it reads is.
        var isIndeterminate: Bool
    }

    /// A position in `nodes` or `drafts`.
    private struct Place: SlabElement, Sendable {
        var position: Int
        init(_ position: Int) { self.position = position }
    }

    /// Parents first, the final stage last.
    private(set) var drafts: [Draft] = []

    let nodes: [LineageNode]
    /// By node, whether barrier tasks compute it; empty when none do.
    private(set) var barriers: [Bool] = []
    private let kept: BlockManagerMaster
    private var places = IdentifierMap<RDDID, Place>()
    private var visited: [Int]
    private var stack: [Int] = []
    /// Of the shuffles met so far, the draft that writes it.
    private var seen = IdentifierMap<ShuffleID, Place>()

    init(_ job: JobDescription, kept: BlockManagerMaster) throws(JobFailure) {
        nodes = job.lineage.nodes
        self.kept = kept
        visited = [Int](repeating: -1, count: nodes.count)
        for (place, node) in nodes.enumerated() {
            guard node.id.rawValue >= 0, !places.contains(node.id) else {
                throw .invalid(message: "\(node.id) stands twice in the lineage or is negative")
            }
            try check(node)
            places.insert(Place(place), for: node.id)
        }
        guard let final = places[job.finalRDD]?.position else {
            throw .invalid(message: "the final \(job.finalRDD) is not in the lineage")
        }
        try checkPartitions(job, final)
        barriers = StageCut.barrierNodes(nodes) { places[$0]?.position }
        try cut(final, job)
    }

    /// Dependencies must name nodes that stand before.
    private func check(_ node: LineageNode) throws(JobFailure) {
        guard node.partitionCount >= 0, node.partitionCount <= Int(Int32.max) else {
            throw .invalid(message: "\(node.id) has \(node.partitionCount) partitions")
        }
        for preferences in [node.preferred.executors.count, node.preferred.hosts.count]
        where preferences != 0 && preferences != node.partitionCount {
            throw .invalid(
                message: """
                    \(node.id) has preferred locations for \(preferences) of \
                    \(node.partitionCount) partitions
                    """)
        }
        for dependency in node.dependencies where !places.contains(dependency.parent) {
            throw .invalid(message: "\(node.id) stands before its parent \(dependency.parent)")
        }
        for case .shuffle(let shuffle) in node.dependencies
        where shuffle.reducerCount < 0 || shuffle.shuffle.rawValue < 0 {
            throw .invalid(message: "\(shuffle.shuffle) has \(shuffle.reducerCount) reducers")
        }
    }

    private func checkPartitions(_ job: JobDescription, _ final: Int) throws(JobFailure) {
        guard let partitions = job.partitions else { return }
        let count = nodes[final].partitionCount
        var isWanted = [Bool](repeating: false, count: count)
        for partition in partitions {
            guard partition >= 0, partition < count, !isWanted[partition] else {
                throw .invalid(
                    message: "partition \(partition) of \(count) is out of range or wanted twice")
            }
            isWanted[partition] = true
        }
    }

    private mutating func cut(_ final: Int, _ job: JobDescription) throws(JobFailure) {
        var isReached = [Bool](repeating: false, count: nodes.count)
        isReached[final] = true
        for place in stride(from: final, through: 0, by: -1) where isReached[place] {
            for dependency in nodes[place].dependencies { isReached[at(dependency)] = true }
        }
        for place in 0...final where isReached[place] {
            for case .shuffle(let shuffle) in nodes[place].dependencies {
                if let known = seen[shuffle.shuffle]?.position {
                    guard drafts[known].output?.parent == shuffle.parent,
                        drafts[known].output?.reducerCount == shuffle.reducerCount
                    else { throw .invalid(message: "\(shuffle.shuffle) means two things") }
                    continue
                }
                seen.insert(Place(drafts.count), for: shuffle.shuffle)
                try add(at(.shuffle(shuffle)), output: shuffle, shuffle.map)
            }
        }
        try add(final, output: nil, job.final, tasks: job.partitions?.count)
    }

    func at(_ dependency: Dependency) -> Int { places[dependency.parent]!.position }

    private mutating func add(
        _ place: Int, output: ShuffleDependency?, _ plan: StagePlan, tasks: Int? = nil
    ) throws(JobFailure) {
        var plan = plan
        let count = nodes[place].partitionCount
        let name = output.map { "the map stage of \($0.shuffle)" } ?? "the final stage"
        guard plan.inputs.isEmpty || plan.inputs.count == count else {
            throw .invalid(
                message: "\(name) has inputs for \(plan.inputs.count) of \(count) partitions")
        }
        if !barriers.isEmpty, barriers[place] {
            plan.isBarrier = true
            try checkBarrierStage(endingAt: place, tasks: tasks ?? count, name)
        }
        let parents = parentShuffles(of: place, mark: 2 * drafts.count) { _ in false }
        let kept = kept
        let awaited = parentShuffles(of: place, mark: 2 * drafts.count + 1) {
            $0.storageLevel != nil && kept.isComplete($0.id)
        }
        for shuffle in plan.inputShuffles where !parents.contains(shuffle) {
            throw .invalid(message: "\(name) reads \(shuffle), on which its RDD doesn't depend")
        }
        let isIndeterminate =
            plan.isIndeterminate
            || parents.contains { drafts[seen[$0]!.position].isIndeterminate }
        drafts.append(
            Draft(
                output: output, plan: plan, partitionCount: count, parents: parents,
                awaited: awaited,
                preferred: preferredLocations(of: place),
                isIndeterminate: isIndeterminate))
    }

    /// The shuffles that are read in the stage which ends with this node: those behind narrow
    /// dependencies only, and not what lies behind a node where it may end.
    private mutating func parentShuffles(
        of place: Int, mark: Int, endsAt: (LineageNode) -> Bool
    ) -> [ShuffleID] {
        var shuffles: [ShuffleID] = []
        stack.append(place)
        visited[place] = mark
        while let place = stack.popLast() {
            if endsAt(nodes[place]) { continue }
            for dependency in nodes[place].dependencies {
                switch dependency {
                case .shuffle(let shuffle):
                    if !shuffles.contains(shuffle.shuffle) { shuffles.append(shuffle.shuffle) }
                case .narrow:
                    let parent = at(dependency)
                    if visited[parent] != mark {
                        visited[parent] = mark
                        stack.append(parent)
                    }
                }
            }
        }
        return shuffles
    }

    /// Where the node's partitions are kept, else its own preferences, else those of the nearest
    /// narrow parent with the same partitions. Spark: `DAGScheduler.getPreferredLocsInternal`.
    private func preferredLocations(of place: Int) -> PreferredLocations {
        var place = place
        while true {
            let own = preferences(of: nodes[place])
            if !own.isEmpty { return own }
            let parent = nodes[place].dependencies.first { dependency in
                guard case .narrow = dependency else { return false }
                return nodes[at(dependency)].partitionCount == nodes[place].partitionCount
            }
            guard let parent else { return PreferredLocations() }
            place = at(parent)
        }
    }

    private func preferences(of node: LineageNode) -> PreferredLocations {
        guard node.storageLevel != nil, let holders = kept.holders(of: node.id),
            holders.contains(where: { !$0.isEmpty })
        else { return node.preferred }
        var preferred = node.preferred
        if preferred.executors.isEmpty {
            preferred.executors = holders
        } else {
            for place in holders.indices where !holders[place].isEmpty {
                preferred.executors[place] = holders[place]
            }
        }
        return preferred
    }
}
