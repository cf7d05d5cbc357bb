import MillraceBase

/// The hosts that executors or preferences name, as small dense numbers, and who is there.
struct HostTable: Sendable {
    private struct Host: Sendable {
        var executors: [Int] = []
        /// Executors there that take tasks.
        var takers = 0
        var isExcluded = false
    }

    private var ids: [String: Int] = [:]
    private var hosts: [Host] = []
    /// Hosts on which some executor takes tasks.
    private(set) var takingCount = 0

    /// The number of a host; a new one for a new name.
    mutating func id(of name: String) -> Int {
        if let id = ids[name] { return id }
        ids[name] = hosts.count
        hosts.append(Host())
        return hosts.count - 1
    }

    mutating func add(_ executor: Int, to host: Int) { hosts[host].executors.append(executor) }

    mutating func countTakers(_ host: Int, by change: Int) {
        takingCount -= hosts[host].takers > 0 ? 1 : 0
        hosts[host].takers += change
        takingCount += hosts[host].takers > 0 ? 1 : 0
    }

    /// `false` for the host of an executor that never registered.
    func isExcluded(_ host: Int) -> Bool { hosts.indices.contains(host) && hosts[host].isExcluded }
    mutating func setExcluded(_ host: Int, _ isExcluded: Bool) {
        hosts[host].isExcluded = isExcluded
    }

    /// All that ever registered there, in this order.
    func executors(on host: Int) -> [Int] { hosts[host].executors }
    func executors(on name: String) -> [Int] { ids[name].map { hosts[$0].executors } ?? [] }

    func hasTakers(_ host: Int) -> Bool { hosts[host].takers > 0 }
    /// `false` for a host that nobody named.
    func hasTakers(_ name: String) -> Bool { ids[name].map(hasTakers) ?? false }
}
