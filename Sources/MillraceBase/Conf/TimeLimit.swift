/// A time after which something is given up, or none: `-1`, as Spark writes it.
public struct TimeLimit: ConfValue, Hashable {
    /// Positive; nil for never.
    public let duration: Duration?

    public static let never = TimeLimit(duration: nil)

    private init(duration: Duration?) { self.duration = duration }

    public init?(conf text: String) {
        guard text != "-1" else {
            self = .never
            return
        }
        guard let duration = Duration(conf: text), duration > .zero else { return nil }
        self.init(duration: duration)
    }

    public var confText: String { duration?.confText ?? "-1" }
    public static var confKind: String { "a time such as 10s, 200ms or 1min, or -1 for never" }
}
