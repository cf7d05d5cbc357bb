import MillraceBase

/// What went wrong between us and Kafka: which kind, in one sentence, and whether trying again can
/// help.
public struct KafkaError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller decides by; the librdkafka code, where there is one, is in `nativeCode`.
    public enum Code: Sendable, Hashable {
        /// An option or argument that cannot be right.
        case invalidOption
        /// Text that is not offsets or partitions in Spark's JSON.
        case malformedJSON
        /// A deadline passed before the brokers answered.
        case timedOut
        /// Offsets that the query still needs are gone: aged out, or their topic was deleted.
        case dataLoss
        /// A topic or partition that does not exist.
        case unknownTopic
        /// A record that was not acknowledged.
        case deliveryFailed
        /// The caller asked to stop.
        case cancelled
        /// Any other answer of librdkafka or of a broker.
        case broker
    }

    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// Whether the same call may succeed later without a change of the program.
    public var isRetriable: Bool
    /// Whether the client that said so is unusable from now on.
    public var isFatal: Bool
    /// librdkafka's `rd_kafka_resp_err_t`; 0 where the error is ours.
    public var nativeCode: Int32
    public var topicPartition: TopicPartition?
    public var offset: Int64?

    public init(
        _ code: Code, _ message: String, isRetriable: Bool = false, isFatal: Bool = false,
        nativeCode: Int32 = 0, topicPartition: TopicPartition? = nil, offset: Int64? = nil
    ) {
        self.code = code
        self.message = message
        self.isRetriable = isRetriable
        self.isFatal = isFatal
        self.nativeCode = nativeCode
        self.topicPartition = topicPartition
        self.offset = offset
    }

    public var description: String { message }

    /// The same, as the one error a user sees.
    public var asMillraceError: MillraceError {
        let code: MillraceError.Code =
            switch self.code {
            case .invalidOption, .malformedJSON: .invalidArgument
            case .timedOut: .deadlineExceeded
            case .dataLoss, .broker: .queryFailed
            case .unknownTopic: .notFound
            case .deliveryFailed: .unavailable
            case .cancelled: .cancelled
            }
        return MillraceError(code, message, cause: self, isRetriable: isRetriable)
    }
}
