import MillraceBase

/// A control message that is not what `proto/millrace/v1/cluster.proto` says.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
