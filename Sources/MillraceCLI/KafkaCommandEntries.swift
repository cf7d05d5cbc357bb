import MillraceBase

/// `millrace kafka-dev`, which explains and checks its own arguments (MillraceKafka).
enum KafkaDevCommand: Command {
    static let name = "kafka-dev"
    static let summary = "runs a Kafka cluster for development (librdkafka's mock)"
    static let help = "usage: millrace kafka-dev [flags]"

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        KafkaCommands.dev(arguments)
    }
}

/// `millrace kafka-produce`, which explains and checks its own arguments (MillraceKafka).
enum KafkaProduceCommand: Command {
    static let name = "kafka-produce"
    static let summary = "feeds lines of real text to a Kafka topic"
    static let help = "usage: millrace kafka-produce [flags]"

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        KafkaCommands.produce(arguments)
    }
}
