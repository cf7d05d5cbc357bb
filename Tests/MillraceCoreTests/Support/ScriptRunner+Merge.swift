import MillraceBase

@testable import MillraceCore

/// Push-based merge in scripts.
///
///     set push=on mergers-min=1 mergers-ratio=0.05    before the first event
///         push-wait=10s wait-size=0 push-ratio=1 results-wait=10s
///     pushed 0 maps=0,1 task=7 merge=1     map outputs of shuffle 0 are pushed (by default of the
///                                          tasks and merge that are known)
///     merged 0 by=0 sizes=0:100,2:50       what the service of executor 0's host has of shuffle 0
///     no-answer 0 by=0                     it says nothing
///     merge 0                              who merges shuffle 0, and what is merged
extension ScriptRunner {
    mutating func configureMerge(_ key: String, _ value: String, _ arguments: Arguments) throws {
        var own = settings.merge ?? MergeSettings()
        switch key {
        case "push": break
        case "mergers-min": own.minMergers = try arguments.integer(of: value)
        case "mergers-ratio": own.minMergersRatio = Double(value) ?? 0
        case "push-wait": own.finalizeTimeout = try arguments.duration(value)
        case "wait-size": own.minSizeToWait = try arguments.integer(of: value)
        case "push-ratio": own.minPushedRatio = Double(value) ?? 1
        case "results-wait": own.resultsTimeout = try arguments.duration(value)
        default: return try configureBarrier(key, value, arguments)
        }
        settings.merge = own
    }

    mutating func performOnMerges(_ arguments: Arguments) throws {
        let shuffle = ShuffleID(try arguments.number(0))
        let known = core.dag.outputs.shuffles[shuffle]?.merge
        let merge = try arguments.integer("merge") ?? known?.plan.merge ?? 0
        switch arguments.name {
        case "pushed":
            let statuses = core.dag.outputs.shuffles[shuffle]?.statuses ?? []
            let task = try arguments.integer("task").map { TaskID($0) }
            for map in try arguments.list("maps") ?? [] {
                let status = map < statuses.count ? statuses[map] : nil
                guard let task = task ?? status?.mapTask else {
                    throw Problem(description: "map \(map) of \(shuffle) has no output")
                }
                handle(
                    .outputsPushed(
                        [
                            PushedOutput(
                                shuffle: shuffle, merge: merge, mapIndex: map, mapTask: task)
                        ]))
            }
        case "merged", "no-answer":
            let sizes = try (arguments["sizes"] ?? "").split(separator: ",").map { pair in
                let parts = try pair.split(separator: ":").map {
                    try arguments.integer(of: String($0))
                }
                return MergedSize(reduce: parts[0], bytes: parts[1])
            }
            handle(
                .mergeFinalized(
                    MergeAnswer(
                        shuffle: shuffle, merge: merge,
                        merger: ExecutorID(try arguments.integer("by") ?? 0),
                        sizes: arguments.name == "merged" ? sizes : nil)))
        default:
            guard let known else { return output.append("nobody merges \(shuffle)") }
            let mergers = known.plan.mergers.map { "\($0.rawValue)" }.joined(separator: " ")
            output.append("merge \(known.plan.merge) by \(mergers)")
            guard let merged = core.mapOutputs(of: shuffle)?.merged else { return }
            for reduce in 0..<merged.sizes.count where merged.sizes[reduce] > 0 {
                let merger = merged.plan.merger(of: reduce, reducers: merged.sizes.count)
                output.append(
                    "partition \(reduce): \(merged.sizes[reduce]) bytes at \(merger.rawValue)")
            }
        }
    }
}
