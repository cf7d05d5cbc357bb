/// The external shuffle service, which serves executors' shuffle files after their end.
public struct ShuffleServiceEntries: ConfEntries {
    public static let title = "Shuffle service"
    public static let entries = ShuffleServiceEntries()

    public let isEnabled = ConfEntry(
        "millrace.shuffle.service.enabled", default: false,
        doc: "Executors register their shuffle files with the service of their host "
            + "(`millrace shuffle-service`), which serves them when an executor is gone.")
    public let port = ConfEntry(
        "millrace.shuffle.service.port", default: 7337,
        doc: "Where executors and the driver reach the service of a host; its blocks are on the "
            + "next port, if the service isn't told otherwise.",
        valid: .between(1, 65_535))
    public let registrationTimeout = ConfEntry(
        "millrace.shuffle.registration.timeout", default: Duration.seconds(5),
        doc: "How long one attempt to register with the service may take.",
        valid: .between(.milliseconds(10), .seconds(3_600)), bareUnit: "ms")
    public let registrationAttempts = ConfEntry(
        "millrace.shuffle.registration.maxAttempts", default: 3,
        doc: "Attempts of an executor to register before it gives up and ends.",
        valid: .between(1, 100))
    public let applicationTimeout = ConfEntry(
        "millrace.shuffle.service.applicationTimeout", default: Duration.seconds(120),
        doc: "An application whose driver says nothing to a service for so long is finished there: "
            + "its shuffle files are deleted. Read by the service.",
        valid: .between(.milliseconds(100), .seconds(604_800)), bareUnit: "s")
}
