import Millrace
@main struct StreamingWordCount: MillraceApp {
    static func run(_ session: MillraceSession, _ arguments: [String]) async throws {}
}
