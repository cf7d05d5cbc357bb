/// Reading files.
public struct FilesEntries: ConfEntries {
    public static let title = "Files"
    public static let entries = FilesEntries()

    public let maxPartitionBytes = ConfEntry(
        "millrace.files.maxPartitionBytes", default: ByteCount.mebibytes(128),
        doc: "The most bytes of a file that become one partition.",
        valid: .atLeast(.kibibytes(1)), aliases: ["spark.sql.files.maxPartitionBytes"],
        simulate: [.kibibytes(1), .mebibytes(128)])
    public let openCost = ConfEntry(
        "millrace.files.openCostInBytes", default: ByteCount.mebibytes(4),
        doc: "What opening a file costs, in bytes that could be read meanwhile: small files are "
            + "put together in one partition by it.",
        aliases: ["spark.sql.files.openCostInBytes"])
}
