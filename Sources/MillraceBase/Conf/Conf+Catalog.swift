/// Every group of settings: how to read it, and the list from which the rest is derived. A new
/// group is one property and one line in `groups`.
extension Conf {
    public var application: ConfGroup<ApplicationEntries> { ConfGroup(values: values) }
    public var driver: ConfGroup<DriverEntries> { ConfGroup(values: values) }
    public var executor: ConfGroup<ExecutorEntries> { ConfGroup(values: values) }
    public var memory: ConfGroup<MemoryEntries> { ConfGroup(values: values) }
    public var scheduler: ConfGroup<SchedulerEntries> { ConfGroup(values: values) }
    public var exclusion: ConfGroup<ExclusionEntries> { ConfGroup(values: values) }
    public var speculation: ConfGroup<SpeculationEntries> { ConfGroup(values: values) }
    public var barrier: ConfGroup<BarrierEntries> { ConfGroup(values: values) }
    public var dynamicAllocation: ConfGroup<DynamicAllocationEntries> {
        ConfGroup(values: values)
    }
    public var decommission: ConfGroup<DecommissionEntries> { ConfGroup(values: values) }
    public var shuffle: ConfGroup<ShuffleEntries> { ConfGroup(values: values) }
    public var compression: ConfGroup<CompressionEntries> { ConfGroup(values: values) }
    public var network: ConfGroup<NetworkEntries> { ConfGroup(values: values) }
    public var broadcast: ConfGroup<BroadcastEntries> { ConfGroup(values: values) }
    public var security: ConfGroup<SecurityEntries> { ConfGroup(values: values) }
    public var streaming: ConfGroup<StreamingEntries> { ConfGroup(values: values) }
    public var shuffleService: ConfGroup<ShuffleServiceEntries> { ConfGroup(values: values) }
    public var shufflePush: ConfGroup<ShufflePushEntries> { ConfGroup(values: values) }
    public var streamingAllocation: ConfGroup<StreamingAllocationEntries> {
        ConfGroup(values: values)
    }
    public var state: ConfGroup<StateEntries> { ConfGroup(values: values) }
    public var log: ConfGroup<LogEntries> { ConfGroup(values: values) }

    public static let groups: [any ConfEntries.Type] = [
        ApplicationEntries.self, DriverEntries.self, ExecutorEntries.self, MemoryEntries.self,
        SchedulerEntries.self, SpeculationEntries.self, ExclusionEntries.self,
        BarrierEntries.self, DynamicAllocationEntries.self,
        DecommissionEntries.self,
        ShuffleEntries.self, ShuffleServiceEntries.self, ShufflePushEntries.self,
        CompressionEntries.self, BroadcastEntries.self,
        NetworkEntries.self, SecurityEntries.self,
        StreamingEntries.self, StreamingAllocationEntries.self,
        StateEntries.self, LogEntries.self,
    ]

    /// Every setting, group by group, in the order of declaration.
    public static let catalog: [any AnyConfEntry] = groups.flatMap { $0.all }

    /// Every setting by its own key and by the aliases it names; two of one name are a bug.
    static let index: [String: any AnyConfEntry] = {
        var index: [String: any AnyConfEntry] = [:]
        for entry in catalog {
            for name in [entry.key] + entry.aliases {
                precondition(index[name] == nil, "the setting \(name) is declared twice")
                index[name] = entry
            }
        }
        return index
    }()

    /// What a key means.
    enum Meaning {
        case known(any AnyConfEntry)
        case ignored
        case unknown(reason: String)
    }

    static func lookUp(_ key: String) -> Meaning {
        if let entry = index[key] { return .known(entry) }
        if key.hasPrefix("spark.") {
            guard SparkKeys.contains(key) else { return .unknown(reason: unknown(key)) }
            let own = SparkKeys.isNamed(key) ? index["millrace." + key.dropFirst(6)] : nil
            return own.map { .known($0) } ?? .ignored
        }
        return .unknown(reason: unknown(key))
    }

    /// All names of an entry in Spark's settings.
    public static func sparkNames(of entry: any AnyConfEntry) -> [String] {
        let simple = "spark." + entry.key.dropFirst("millrace.".count)
        return (SparkKeys.isNamed(simple) ? [simple] : []) + entry.aliases
    }

    private static func unknown(_ key: String) -> String {
        let candidates = index.keys.sorted() + (key.hasPrefix("spark.") ? SparkKeys.all : [])
        let hasPrefix = key.hasPrefix("spark.") || key.hasPrefix("millrace.")
        let nearest = EditDistance.nearest(
            to: hasPrefix ? key : "millrace." + key, among: candidates,
            allowance: max(2, key.utf8.count / 3))
        guard let nearest else {
            return "is not a known setting; `millrace conf` lists them"
        }
        return "is not a known setting; did you mean \(nearest)?"
    }
}
