import MillraceKafka

/// The two commands around Kafka; the work is in MillraceKafka.
enum KafkaCommands {
    static func dev(_ arguments: [String]) -> Int32 { KafkaDev.run(arguments: arguments) }
    static func produce(_ arguments: [String]) -> Int32 { KafkaProduce.run(arguments: arguments) }
}
