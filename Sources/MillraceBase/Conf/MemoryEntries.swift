/// How a process divides its memory.
public struct MemoryEntries: ConfEntries {
    public static let title = "Memory"
    public static let entries = MemoryEntries()

    public let fraction = ConfEntry(
        "millrace.memory.fraction", default: 0.6,
        doc: "The part of an executor's memory (after a reserve of an eighth of it, at most 64m) "
            + "that sorting, aggregation and cached blocks share. The rest is for the rows and "
            + "values that user code holds.",
        valid: .between(0.01, 1), simulate: [0.1, 0.6])
    public let storageFraction = ConfEntry(
        "millrace.memory.storageFraction", default: 0.5,
        doc: "The part of that shared memory in which cached blocks are safe from eviction by "
            + "sorting and aggregation. Either side borrows what the other does not use.",
        valid: .between(0, 1), simulate: [0, 0.5, 1])
}
