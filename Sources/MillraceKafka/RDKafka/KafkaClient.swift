import CRdkafka
import MillraceBase
import Synchronization

/// One librdkafka client: its configuration, threads and connections. Owns the handle; ending it
/// waits for its threads.
///
/// librdkafka is thread-safe, so a client may be passed on; what belongs to one thread (a
/// consumer's position, a producer's counters) lives in the types around it.
final class KafkaClient: @unchecked Sendable {
    enum Kind: String { case consumer, producer }

    let handle: OpaquePointer
    let kind: Kind
    /// What its callbacks left behind.
    let notes: ClientNotes

    /// - Parameters:
    ///   - properties: the user's. They win over `defaults`, `required` wins over them.
    ///   - configure: sets callbacks, before the client exists.
    init(
        _ kind: Kind, properties: [KafkaProperty], defaults: [KafkaProperty] = [],
        required: [KafkaProperty] = [], configure: (OpaquePointer) -> Void = { _ in }
    ) throws(KafkaError) {
        self.kind = kind
        let notes = ClientNotes()
        self.notes = notes
        guard let configuration = rd_kafka_conf_new() else { preconditionFailure("out of memory") }
        do throws(KafkaError) {
            for property in defaults { try set(property, in: configuration) }
            for property in try JavaProperties.translate(properties) {
                try set(property, in: configuration)
            }
            for property in required { try set(property, in: configuration) }
        } catch {
            rd_kafka_conf_destroy(configuration)
            throw error
        }
        rd_kafka_conf_set_log_cb(configuration, logLine)
        // No error callback: librdkafka then logs what it would have reported, and queues nothing
        // for a poll. The notes outlive the client's threads, because both end with this object.
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(notes).toOpaque())
        configure(configuration)

        var text = [CChar](repeating: 0, count: 512)
        let type = kind == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        guard let handle = rd_kafka_new(type, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)  // rd_kafka_new takes it only when it succeeds
            throw KafkaError(.invalidOption, "cannot make a Kafka \(kind): \(String(text))")
        }
        self.handle = handle
    }

    deinit {
        // A consumer that never joined a group has nothing to leave or commit.
        if kind == .consumer {
            rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
        } else {
            rd_kafka_destroy(handle)
        }
    }

    /// The error that made the client unusable, if one did.
    var fatalError: KafkaError? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(handle, &text, text.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        var error = KafkaError(native: code, doing: "go on", detail: String(text))
        error.isFatal = true
        error.isRetriable = false
        return error
    }
}

private func set(_ property: KafkaProperty, in configuration: OpaquePointer) throws(KafkaError) {
    var text = [CChar](repeating: 0, count: 512)
    let result = rd_kafka_conf_set(
        configuration, property.name, property.value, &text, text.count)
    guard result == RD_KAFKA_CONF_OK else {
        throw KafkaError(.invalidOption, "Kafka option 'kafka.\(property.name)': \(String(text))")
    }
}

/// What librdkafka's callbacks tell a client, kept until somebody asks.
final class ClientNotes: @unchecked Sendable {
    /// The last warning or error in the log: why a call that ran into its deadline had no answer.
    let lastComplaint = Mutex<String?>(nil)
    /// Written by the delivery callback, which runs in the polls of the producer's own thread only.
    var acknowledged = 0
    var firstFailure: KafkaError?
}

extension KafkaError {
    /// The same with librdkafka's last complaint: what a timeout alone does not say.
    func withComplaint(of client: KafkaClient) -> KafkaError {
        guard let complaint = client.notes.lastComplaint.withLock({ $0 }) else { return self }
        var copy = self
        copy.message += "; the client's last complaint: \(complaint)"
        return copy
    }
}

extension String {
    /// The text of a C buffer, up to its NUL.
    init(_ buffer: [CChar]) {
        self = buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}

/// Called from librdkafka's threads, with its (syslog) level.
private func logLine(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?,
    _ text: UnsafePointer<CChar>?
) {
    guard let client, let text else { return }
    let kind = facility.map { String(cString: $0) } ?? ""
    // "ERROR" repeats what another line said; "GETPID" is "retrying", as a rule.
    let isEcho = kind == "ERROR" || kind == "GETPID"
    if level <= 4, !isEcho, let opaque = rd_kafka_opaque(client) {
        let notes = Unmanaged<ClientNotes>.fromOpaque(opaque).takeUnretainedValue()
        let complaint = String(cString: text)
        notes.lastComplaint.withLock { $0 = complaint }
    }
    // A broker that goes away is "error" to librdkafka (3) though it is retried for ever; nothing
    // of ours has failed until a call says so. So its errors are our warnings.
    let ours: LogLevel =
        level <= 2 ? .error : isEcho ? .info : level <= 4 ? .warn : level <= 6 ? .info : .debug
    guard Log.isEnabled(ours) else { return }
    Log.write(
        ours, "kafka", String(cString: text),
        [
            "facility": kind, "client": String(cString: rd_kafka_name(client)),
        ])
}
