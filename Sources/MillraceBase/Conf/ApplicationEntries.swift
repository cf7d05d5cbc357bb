/// What is run, and where.
public struct ApplicationEntries: ConfEntries {
    public static let title = "Application"
    public static let entries = ApplicationEntries()

    public let name = ConfEntry<String?>(
        "millrace.app.name", default: nil,
        doc: "The application's name in logs and reports; the program's file name if not set.")
    public let master = ConfEntry(
        "millrace.master", default: MasterURL.local(slots: .allCores, maxFailures: 1),
        doc: "Where the application runs.")
    public let deployMode = ConfEntry(
        "millrace.submit.deployMode", default: DeployMode.client,
        doc: "Whether the driver runs where it was submitted (client) or in the cluster.")
    public let submittedFiles = ConfEntry<[String]>(
        "millrace.files", default: [],
        doc: "Files that every executor finds in its working directory.")
    public let localDirectory = ConfEntry<String?>(
        "millrace.local.dir", default: nil,
        doc: "Where shuffle files and spills go; the system's directory for temporary files if "
            + "not set.")
    public let defaultParallelism = ConfEntry<Int?>(
        "millrace.default.parallelism", default: nil,
        doc: "Partitions of `parallelize` and of shuffles that name no number; the number of "
            + "cores of all executors (at least 2) if not set.",
        valid: .ifSet(.between(1, 100_000)))
}

/// Where the driver of a submitted application runs.
public enum DeployMode: String, ConfChoice {
    case client, cluster
}
