/// The driver process.
public struct DriverEntries: ConfEntries {
    public static let title = "Driver"
    public static let entries = DriverEntries()

    public let host = ConfEntry<String?>(
        "millrace.driver.host", default: nil,
        doc: "The address at which executors reach the driver; the loopback address with a local "
            + "master, else this machine's host name, if not set.")
    public let bindAddress = ConfEntry<String?>(
        "millrace.driver.bindAddress", default: nil,
        doc: "The address on which the driver listens; `millrace.driver.host` if not set.")
    public let port = ConfEntry(
        "millrace.driver.port", default: 0, doc: "The driver's port; 0 takes a free one.",
        valid: .between(0, 65_535))
    public let memory = ConfEntry(
        "millrace.driver.memory", default: ByteCount.gibibytes(1),
        doc: "What the driver process may use.", valid: .atLeast(.mebibytes(64)), bareUnit: "m")
    public let maxResultSize = ConfEntry(
        "millrace.driver.maxResultSize", default: ByteCount.gibibytes(1),
        doc: "The results of all tasks of one action may be this large together, else the job is "
            + "aborted; 0 is no limit.")
}
