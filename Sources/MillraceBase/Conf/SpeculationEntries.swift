/// Slow tasks and their second attempts.
public struct SpeculationEntries: ConfEntries {
    public static let title = "Speculation"
    public static let entries = SpeculationEntries()

    public let isEnabled = ConfEntry(
        "millrace.speculation", default: false,
        doc: "Whether a task that takes much longer than its siblings is launched a second time, "
            + "on another host; the first attempt that succeeds counts, the other is asked to end. "
            + "Micro-batches are then scheduled one by one, without group scheduling.",
        simulate: [false, true])
    public let interval = ConfEntry(
        "millrace.speculation.interval", default: Duration.milliseconds(100),
        doc: "How often running tasks are looked at.",
        valid: .between(.milliseconds(1), .seconds(3_600)))
    public let quantile = ConfEntry(
        "millrace.speculation.quantile", default: 0.9,
        doc: "Part of a stage's tasks that must be done before the others are looked at.",
        valid: .between(0, 1), simulate: [0.5, 0.9])
    public let multiplier = ConfEntry(
        "millrace.speculation.multiplier", default: 3.0,
        doc: "How many times the median run time of its stage a task may take.",
        valid: .between(1, 1_000), simulate: [1.5, 3])
    public let minTaskRunTime = ConfEntry(
        "millrace.speculation.minTaskRuntime", default: Duration.milliseconds(100),
        doc: "A task that has run for less is left alone.", valid: .atLeast(.zero))
    public let taskDurationThreshold = ConfEntry<Duration?>(
        "millrace.speculation.task.duration.threshold", default: nil,
        doc: "How long a task may take in a stage with no more tasks than an executor has cores, "
            + "which has no median yet; without it such stages are left alone.",
        valid: .ifSet(.atLeast(.milliseconds(1))))
}
