/// The names of Kafka's Java clients that Spark users write, in librdkafka's terms.
///
/// What has no meaning here (pools and fetch sizes of the Java consumer) is dropped; what cannot be
/// honoured (a JKS key store) is refused. Everything else passes as it is.
enum JavaProperties {
    private static let renamed = [
        "fetch.max.wait.ms": "fetch.wait.max.ms",
        "request.timeout.ms": "socket.timeout.ms",
        "receive.buffer.bytes": "socket.receive.buffer.bytes",
        "send.buffer.bytes": "socket.send.buffer.bytes",
        "max.request.size": "message.max.bytes",
        "connections.setup.timeout.ms": "socket.connection.setup.timeout.ms",
    ]
    private static let meaningless: Set<String> = [
        "max.poll.records", "client.dns.lookup", "default.api.timeout.ms", "max.block.ms",
        "metric.reporters", "metrics.num.samples", "metrics.sample.window.ms",
        "metrics.recording.level", "exclude.internal.topics", "auto.include.jmx.reporter",
        "ssl.truststore.password", "ssl.protocol", "ssl.enabled.protocols", "ssl.provider",
    ]

    static func translate(_ properties: [KafkaProperty]) throws(KafkaError) -> [KafkaProperty] {
        var given: [String: String] = [:]
        for property in properties { given[property.name] = property.value }
        var result: [KafkaProperty] = []
        for property in properties where !meaningless.contains(property.name) {
            let value = property.value
            switch property.name {
            case "ssl.truststore.type", "ssl.keystore.type":
                continue  // read together with the location
            case "ssl.truststore.location":
                let type = given["ssl.truststore.type"] ?? "JKS"
                guard type.uppercased() == "PEM" else { throw refusedStore(property.name, type) }
                result.append(KafkaProperty("ssl.ca.location", value))
            case "ssl.keystore.location":
                switch (given["ssl.keystore.type"] ?? "JKS").uppercased() {
                case "PEM":
                    result.append(KafkaProperty("ssl.certificate.location", value))
                    result.append(KafkaProperty("ssl.key.location", value))
                case "PKCS12": result.append(property)
                case let type: throw refusedStore(property.name, type)
                }
            case "ssl.endpoint.identification.algorithm":
                result.append(KafkaProperty(property.name, value.isEmpty ? "none" : value))
            case "sasl.jaas.config":
                result += try credentials(inJAAS: value)
            case "buffer.memory":
                guard let bytes = Int(value), bytes > 0 else {
                    throw KafkaError(
                        .invalidOption,
                        "Kafka option 'kafka.buffer.memory' is '\(value)'; "
                            + "it takes a number of bytes")
                }
                result.append(
                    KafkaProperty("queue.buffering.max.kbytes", String(max(bytes / 1024, 1))))
            case let name:
                result.append(KafkaProperty(renamed[name] ?? name, value))
            }
        }
        return result
    }

    private static func refusedStore(_ name: String, _ type: String) -> KafkaError {
        KafkaError(
            .invalidOption,
            "Kafka option 'kafka.\(name)' names a \(type) store, which only Java reads; convert "
                + "it to PEM and give "
                + "kafka.ssl.ca.location, kafka.ssl.certificate.location and kafka.ssl.key.location"
        )
    }

    /// `…LoginModule required username="u" password="p";` as user and password.
    private static func credentials(inJAAS text: String) throws(KafkaError) -> [KafkaProperty] {
        func quoted(_ name: String) -> String? {
            var rest = Substring(text)
            while let start = rest.firstRange(of: name + "=") {
                let isWord =
                    start.lowerBound == rest.startIndex
                    || rest[rest.index(before: start.lowerBound)] == " "
                rest = rest[start.upperBound...]
                guard isWord, let quote = rest.first, quote == "\"" || quote == "'" else {
                    continue
                }
                let value = rest.dropFirst()
                if let end = value.firstIndex(of: quote) { return String(value[..<end]) }
            }
            return nil
        }
        guard let user = quoted("username"), let password = quoted("password") else {
            throw KafkaError(
                .invalidOption,
                "Kafka option 'kafka.sasl.jaas.config' has no username=\"…\" password=\"…\"; give "
                    + "kafka.sasl.username and kafka.sasl.password instead")
        }
        return [KafkaProperty("sasl.username", user), KafkaProperty("sasl.password", password)]
    }
}

extension Substring {
    /// The first place where `text` stands, compared by bytes.
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
