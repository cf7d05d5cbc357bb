/// Connections between the processes of an application.
public struct NetworkEntries: ConfEntries {
    public static let title = "Network"
    public static let entries = NetworkEntries()

    public let timeout = ConfEntry(
        "millrace.network.timeout", default: Duration.seconds(120),
        doc: "How long a peer may say nothing before it counts as lost, and every wait for which "
            + "there is no setting of its own.",
        valid: .between(.milliseconds(100), .seconds(86_400)), bareUnit: "s",
        simulate: [.seconds(20), .seconds(120)])
    public let timeoutInterval = ConfEntry(
        "millrace.network.timeoutInterval", default: Duration.seconds(60),
        doc: "How often it is looked whether an executor has been silent for that long.",
        valid: .between(.milliseconds(10), .seconds(3_600)), simulate: [.seconds(1), .seconds(60)])
    public let maxMessageSize = ConfEntry(
        "millrace.rpc.message.maxSize", default: ByteCount.mebibytes(128),
        doc: "The largest message on a control connection; a larger one ends its call.",
        valid: .between(.kibibytes(64), .mebibytes(2_047)), bareUnit: "m")
    public let keepAliveInterval = ConfEntry(
        "millrace.network.keepAlive.interval", default: Duration.seconds(10),
        doc: "A control connection on which nothing was received for this long is sent a ping.",
        valid: .between(.milliseconds(10), .seconds(3_600)),
        simulate: [.milliseconds(500), .seconds(10)])
    public let keepAliveTimeout = ConfEntry(
        "millrace.network.keepAlive.timeout", default: Duration.seconds(20),
        doc: "A control connection whose ping is not answered within this time is closed.",
        valid: .between(.milliseconds(10), .seconds(3_600)),
        simulate: [.milliseconds(500), .seconds(20)])
    public let portRetries = ConfEntry(
        "millrace.port.maxRetries", default: 16,
        doc: "How many of the next ports are tried when one that the settings name is taken.",
        valid: .between(0, 60_000))
    public let blockPort = ConfEntry(
        "millrace.blockManager.port", default: 0,
        doc: "The port on which an executor serves its blocks; 0 takes a free one.",
        valid: .between(0, 65_535))
    public let driverBlockPort = ConfEntry<Int?>(
        "millrace.driver.blockManager.port", default: nil,
        doc: "The same for the driver; `millrace.blockManager.port` if not set.",
        valid: .ifSet(.between(0, 65_535)))
    public let maxBlockInMemory = ConfEntry(
        "millrace.network.maxRemoteBlockSizeFetchToMem", default: ByteCount.mebibytes(200),
        doc: "A block of map output above this size is received into a file of the executor that "
            + "reads it, a few MiB at a time, so that it is never whole in memory; a smaller one "
            + "for which there is no memory is read a few MiB at a time from its owner.",
        valid: .between(.kibibytes(1), .gibibytes(2)),
        simulate: [.kibibytes(64), .mebibytes(200)])
    public let connectionsPerPeer = ConfEntry(
        "millrace.network.connectionsPerPeer", default: 1,
        doc: "Data connections that an executor opens to another one.",
        valid: .between(1, 64), aliases: ["spark.shuffle.io.numConnectionsPerPeer"])
}
