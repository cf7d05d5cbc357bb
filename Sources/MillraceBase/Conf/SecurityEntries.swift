/// Who may talk to the processes of an application.
public struct SecurityEntries: ConfEntries {
    public static let title = "Security"
    public static let entries = SecurityEntries()

    public let isTLSEnabled = ConfEntry(
        "millrace.ssl.enabled", default: false,
        doc: "TLS with certificates on both sides, on every connection of the application.",
        aliases: ["spark.ssl.rpc.enabled"])
    public let certificateFile = ConfEntry<String?>(
        "millrace.ssl.certificateFile", default: nil,
        doc: "This process's certificate chain (PEM).",
        aliases: ["spark.ssl.rpc.certChain"])
    public let privateKeyFile = ConfEntry<String?>(
        "millrace.ssl.privateKeyFile", default: nil,
        doc: "The key of that certificate (PEM).", aliases: ["spark.ssl.rpc.privateKey"])
    public let authorityFile = ConfEntry<String?>(
        "millrace.ssl.authorityFile", default: nil,
        doc: "The authority (PEM) that must have signed a peer's certificate.")
    public let isAuthenticationEnabled = ConfEntry(
        "millrace.authenticate", default: false,
        doc: "Whether a peer must prove that it knows the application's secret.")
    public let secret = ConfEntry<String?>(
        "millrace.authenticate.secret", default: nil,
        doc: "The secret itself. `millrace.authenticate.secret.file` keeps it out of settings.")
    public let secretFile = ConfEntry<String?>(
        "millrace.authenticate.secret.file", default: nil,
        doc: "A file that holds the secret; a line end at its end does not count.")
    public let isIOEncrypted = ConfEntry(
        "millrace.io.encryption.enabled", default: false,
        doc: "Whether map outputs and spills are encrypted (AES-GCM) by a key of the application, "
            + "which executors get over their control connection: secure that one too.")
    public let ioKeyBits = ConfEntry(
        "millrace.io.encryption.keySizeBits", default: 128,
        doc: "Bits of that key: 128 or 256.",
        valid: ConfRule("128 or 256") { $0 == 128 || $0 == 256 })
}
