import Millrace

@main struct WordCount: MillraceApp {
    static func run(_ session: MillraceSession, _ arguments: [String]) async throws {
        let counts = try await session.context.textFile(arguments[0])
            .flatMap { $0.words() }
            .map { ($0, 1) }
            .reduceByKey(+)
            .collect()
        for (word, count) in counts { print(word, count) }
    }
}
