import MillraceBase

@testable import MillraceCore

/// Push-based merge: executors push, or don't get round to it, and the service of its host answers,
/// late or never.
extension MiniSimulation {
    /// What has happened and the core hasn't heard of yet.
    struct Merges {
        var pushed: [PushedOutput] = []
        var answers: [MergeAnswer] = []
    }

    static func mergeSettings(_ random: inout PRNG) -> MergeSettings? {
        guard random.chance(400) else { return nil }
        var settings = MergeSettings()
        settings.minMergers = 1
        settings.finalizeTimeout = .milliseconds(random.below(300))
        settings.resultsTimeout = .milliseconds(random.below(300))
        settings.minSizeToWait = [0, 20][random.below(2)]
        settings.minPushedRatio = [0.5, 1][random.below(2)]
        return settings
    }

    /// A map task has ended well, and its executor begins to push.
    mutating func push(_ task: TaskDescription, _ setup: StageSetup) {
        guard let plan = setup.merge, let shuffle = setup.outputShuffle, !random.chance(100) else {
            return
        }
        merges.pushed.append(
            PushedOutput(
                shuffle: shuffle, merge: plan.merge, mapIndex: task.partition, mapTask: task.id))
    }

    mutating func finalize(_ shuffle: ShuffleID, _ plan: MergePlan, _ hosts: [String]) {
        seen["merge asked for", default: 0] += 1
        if hosts.count != plan.mergers.count || hosts.contains(where: { $0 != "h0" }) {
            problems.append("\(shuffle) is merged on \(hosts)")
        }
        for merger in plan.mergers where !random.chance(150) {
            let sizes = random.chance(800) ? [MergedSize(reduce: random.below(3), bytes: 5)] : nil
            merges.answers.append(
                MergeAnswer(shuffle: shuffle, merge: plan.merge, merger: merger, sizes: sizes))
        }
    }

    /// The core hears of something, and perhaps hears it again.
    mutating func hearOfMerges() {
        if !merges.pushed.isEmpty {
            let output = merges.pushed.remove(at: random.below(merges.pushed.count))
            handle(.outputsPushed([output]))
            if random.chance(50) { merges.pushed.append(output) }
        }
        if !merges.answers.isEmpty, random.chance(500) {
            let answer = merges.answers.remove(at: random.below(merges.answers.count))
            handle(.mergeFinalized(answer))
            if random.chance(50) { merges.answers.append(answer) }
        }
    }

    /// Nobody reads what is still being merged.
    mutating func checkMerges(_ setup: StageSetup) {
        for shuffle in setup.inputShuffles
        where core.dag.outputs.shuffles[shuffle]?.merge?.isPending == true {
            problems.append("\(setup.stage) reads \(shuffle), which is being merged")
        }
        if setup.inputShuffles.contains(where: { core.mapOutputs(of: $0)?.merged != nil }) {
            seen["task reads merged blocks", default: 0] += 1
        }
    }
}
