extension KafkaOffsets: CustomStringConvertible {
    /// Spark's text: sorted, no blanks, so the same offsets always give the same bytes.
    public var json: String { preconditionFailure("soon") }

    /// Reads Spark's text. Throws `.malformedJSON` with what was expected, what was found and where.
    public init(json: String) throws(KafkaError) { preconditionFailure("soon") }

    public var description: String { json }
}
