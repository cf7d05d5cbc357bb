/// How far a dataset's rows are the same when its partitions are computed again. Spark's
/// `DeterministicLevel`.
enum OutputDeterminism: Int, Comparable, Sendable {
    /// The same rows in the same order.
    case determinate
    /// The same rows in each partition, in any order: map outputs come as they come.
    case unordered
    /// Other rows, or the same in other partitions: the order was looked at (round robin, a sample,
    /// numbered rows), or somebody before did so. The scheduler computes it again as a whole.
    case indeterminate

    static func < (left: OutputDeterminism, right: OutputDeterminism) -> Bool {
        left.rawValue < right.rawValue
    }

    /// What is computed row by row, or with a look at the order, from rows of this level.
    func computed(inOrder isOrderSensitive: Bool) -> OutputDeterminism {
        isOrderSensitive && self == .unordered ? .indeterminate : self
    }

    /// Of a dataset, when `level` gives that of each dataset that it depends on. A source gives the
    /// same again: files are read in order, and a stream's offsets are on disk.
    init(of node: RDDNode, _ level: (RDDNode) -> OutputDeterminism) {
        var worst = OutputDeterminism.determinate
        for dependency in node.dependencies {
            switch dependency {
            case .oneToOne(let parent), .range(let parent, _), .groups(let parent, _):
                worst = max(worst, level(parent))
            case .shuffle(let shuffle):
                worst = max(worst, .unordered, Self.written(to: shuffle, level(shuffle.parent)))
            }
        }
        self = worst.computed(inOrder: node.isOrderSensitive)
    }

    /// Of a shuffle's map output.
    static func written(to shuffle: RDDShuffle, _ level: OutputDeterminism) -> OutputDeterminism {
        level.computed(inOrder: shuffle.isOrderSensitive)
    }

    /// Of a dataset with a short lineage: looks at all of it.
    static func of(_ node: RDDNode) -> OutputDeterminism { OutputDeterminism(of: node, of) }
}
