/// Executors that leave before the application ends.
public struct DecommissionEntries: ConfEntries {
    public static let title = "Decommission"
    public static let entries = DecommissionEntries()

    public let isEnabled = ConfEntry(
        "millrace.decommission.enabled", default: true,
        doc: "Whether an executor that is not needed any more is decommissioned: it ends its tasks "
            + "before it goes. Without it, it is killed. Spark's default is false.")
}
