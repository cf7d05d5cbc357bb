/// `subscribePattern`: a regular expression that a topic's whole name must match.
///
/// Swift's regular expressions read what Java's do for anything a topic's name can hold.
struct TopicPattern {
    private let regex: Regex<AnyRegexOutput>

    init(_ pattern: String) throws(KafkaError) {
        do {
            regex = try Regex(pattern)
        } catch {
            throw KafkaError(
                .invalidOption,
                "option 'subscribePattern' is '\(pattern)', which is no regular expression: "
                    + "\(error)"
            )
        }
    }

    func matches(_ topic: String) -> Bool { (try? regex.wholeMatch(in: topic)) != nil }
}
