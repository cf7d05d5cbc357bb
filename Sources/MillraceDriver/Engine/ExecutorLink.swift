import MillraceBase
import MillraceWire

/// The driver's way to one executor: a control stream, or the executor runtime in this very process
/// (`local[N]`).
///
/// Belongs to the driver's loop.
public protocol ExecutorLink: AnyObject {
    /// Sends what one turn of the loop made for this executor. Never blocks; what cannot be sent is
    /// lost with the executor, whose loss is reported.
    func send(_ message: DriverMessage)
    /// Ends the connection, and the executor with it.
    func close(reason: String)
}
