/// How bytes are packed on their way to disks and other processes.
public struct CompressionEntries: ConfEntries {
    public static let title = "Compression"
    public static let entries = CompressionEntries()

    public let codec = ConfEntry(
        "millrace.io.compression.codec", default: CompressionCodec.lz4,
        doc: "How shuffle output and what tasks spill are compressed: `lz4` is faster, `zstd` "
            + "smaller.",
        simulate: [.lz4, .zstd])
}

/// A compression that blocks can have.
public enum CompressionCodec: String, CaseIterable, ConfChoice {
    case lz4, zstd
}
