import Glibc
import MillraceNet

/// Whether an address is one of this machine's.
enum HostAddresses {
    /// False for names, whatever they stand for: the network is asked then.
    static func contains(_ host: String) -> Bool {
        guard let address = try? SocketAddress(host: host, port: 0) else { return false }
        if address.isLoopback { return true }
        // The kernel binds a socket to no other machine's address.
        return address.isBindable
    }
}
