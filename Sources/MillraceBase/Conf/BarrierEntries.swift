/// Stages whose tasks are launched together.
public struct BarrierEntries: ConfEntries {
    public static let title = "Barrier stages"
    public static let entries = BarrierEntries()

    public let checkInterval = ConfEntry(
        "millrace.scheduler.barrier.maxConcurrentTasksCheck.interval",
        default: Duration.seconds(15),
        doc: "Time between two looks whether there are slots for all tasks of a barrier stage; its "
            + "job begins as soon as they are there, but fails after a number of looks in vain.",
        valid: .between(.milliseconds(1), .seconds(86_400)),
        simulate: [.seconds(1), .seconds(15)])
    public let maxCheckFailures = ConfEntry(
        "millrace.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", default: 40,
        doc: "How often there may be fewer slots than a barrier stage has tasks, after the first "
            + "time, before its job fails.",
        valid: .between(1, 1_000_000), simulate: [4, 40])
    public let syncTimeout = ConfEntry(
        "millrace.barrier.sync.timeout", default: Duration.seconds(365 * 86_400),
        doc: "How long the first task at a barrier waits for the last one before all of them fail.",
        valid: .between(.seconds(1), .seconds(100 * 365 * 86_400)),
        simulate: [.seconds(10), .seconds(365 * 86_400)])
}
