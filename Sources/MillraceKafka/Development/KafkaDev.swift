import Glibc

/// `millrace kafka-dev`: librdkafka's mock cluster in a process of its own.
public enum KafkaDev {
    static let help = """
        usage: millrace kafka-dev [--brokers N] [--topic NAME:PARTITIONS]...
               [--port-file FILE] [--die-with-parent]

        Runs a Kafka cluster for development (librdkafka's mock cluster) on loopback and prints
        bootstrap=HOST:PORT,... on stdout once it is ready. Ends, with exit code 0, on SIGTERM
        and SIGINT.

          --brokers N               number of brokers, 1 to 64 (default 1)
          --topic NAME:PARTITIONS   make a topic; others are made on first use, with 4 partitions
          --port-file FILE          write the bootstrap servers there too (whole, by rename)
          --die-with-parent         also end when the process that started this one ends

        Its limits: records live in memory and are gone when it ends; a partition keeps 5 MiB
        and silently drops its oldest records above that; ACLs, TLS and topic administration
        are missing; transactions are accepted but fake (aborted records are read). For
        anything else use a real Kafka.

        """

    /// Runs until SIGTERM, SIGINT or (with `--die-with-parent`) its parent's death. `arguments`
    /// without the command's name. Returns the exit code: 0, 1 when the cluster cannot start, 2 for
    /// bad arguments (one line on stderr).
    public static func run(arguments: [String]) -> Int32 {
        if arguments.contains("--help") || arguments.contains("-h") {
            writeText(help, to: STDOUT_FILENO)
            return 0
        }
        let settings: Settings
        do {
            settings = try Settings(arguments)
        } catch {
            writeText("millrace kafka-dev: \(error.message)\n", to: STDERR_FILENO)
            return 2
        }
        do throws(KafkaError) {
            return try serve(settings)
        } catch {
            writeText("millrace kafka-dev: \(error)\n", to: STDERR_FILENO)
            return 1
        }
    }

    private static func serve(_ settings: Settings) throws(KafkaError) -> Int32 {
        // Blocked before the cluster's threads exist, so that they inherit it and only `sigwait`
        // takes them.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        if settings.diesWithParent, !dieWithParent() { return 0 }
        let cluster = try MockCluster(brokers: settings.brokers)
        for topic in settings.topics {
            try cluster.createTopic(
                topic.name, partitions: topic.partitions,
                replicationFactor: min(settings.brokers, 3))
        }
        let bootstrap = cluster.bootstrapServers
        if let file = settings.portFile {
            guard writeFile(file, bootstrap + "\n") else {
                throw KafkaError(
                    .invalidOption, "cannot write \(file): \(String(cString: strerror(errno)))")
            }
        }
        writeText("bootstrap=\(bootstrap)\n", to: STDOUT_FILENO)
        var received: Int32 = 0
        while sigwait(&signals, &received) != 0 {}
        withExtendedLifetime(cluster) {}
        return 0
    }

    struct Settings {
        var brokers = 1
        var topics: [(name: String, partitions: Int)] = []
        var portFile: String?
        var diesWithParent = false

        init(_ arguments: [String]) throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(
                arguments, options: ["--brokers", "--topic", "--port-file"],
                flags: ["--die-with-parent"])
            brokers = try parsed.integer("--brokers", in: 1...64) ?? 1
            portFile = parsed.value("--port-file")
            diesWithParent = parsed.flags.contains("--die-with-parent")
            for text in parsed.values["--topic"] ?? [] {
                let parts = text.split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 2, !parts[0].isEmpty, let partitions = Int(parts[1]),
                    (1...10_000).contains(partitions)
                else {
                    throw CommandArguments.Failure(
                        message: "--topic is '\(text)'; it takes NAME:PARTITIONS, such as lines:4")
                }
                let name = String(parts[0])
                guard !topics.contains(where: { $0.name == name }) else {
                    throw CommandArguments.Failure(message: "--topic '\(name)' is given twice")
                }
                topics.append((name, partitions))
            }
        }
    }
}

/// All of a text to a file descriptor; what cannot be written is dropped (nobody listens).
func writeText(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR { continue }
        if written <= 0 { return }
        bytes = bytes.dropFirst(written)
    }
}

/// A whole file by rename, so that who waits for it never sees a part.
private func writeFile(_ path: String, _ text: String) -> Bool {
    let temporary = "\(path).\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    writeText(text, to: descriptor)
    return close(descriptor) == 0 && rename(temporary, path) == 0
}
