import Testing
@Test(.disabled("needs KAFKA_HOME, a Kafka distribution")) func x() {}
