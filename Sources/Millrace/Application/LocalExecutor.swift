import MillraceBase
import MillraceDriver
import MillraceExecutor
import MillraceWire

/// The one executor of `local[N]`: the executor runtime in the driver's own process, fed with
/// values instead of bytes.
final class LocalExecutor: ExecutorLink {
    private let runtime: ExecutorRuntime

    init(runtime: ExecutorRuntime) { self.runtime = runtime }

    func send(_ message: DriverMessage) {
        do { try runtime.apply(message) } catch {
            preconditionFailure("the driver sent itself a broken plan: \(error)")
        }
    }

    /// The context stops the runtime when the driver's loop has ended.
    func close(reason: String) {}
}
