import MillraceBase
import MillraceWire

/// `millrace version`.
enum VersionCommand: Command {
    static let name = "version"
    static let summary = "says which version this is"
    static let help = "usage: millrace version"

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        if isAskedForHelp(arguments) { return ExitCode.success }
        guard arguments.isEmpty else { throw UsageError("takes no arguments") }
        // The standard library knows the release it belongs to, not its patches.
        let swift = "\(_SwiftStdlibVersion.current)".split(separator: ".").prefix(2)
        print("millrace \(MillraceVersion.text)")
        print("Swift \(swift.joined(separator: "."))")
        print("build \(ClosureCodec.buildIdentity)")
        return ExitCode.success
    }
}
