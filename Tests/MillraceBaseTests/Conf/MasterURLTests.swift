import MillraceBase
import Testing

@Suite struct MasterURLTests {
    @Test(arguments: [
        ("local", MasterURL.local(slots: .count(1), maxFailures: 1)),
        ("local[4]", .local(slots: .count(4), maxFailures: 1)),
        ("local[*]", .local(slots: .allCores, maxFailures: 1)),
        ("local[2, 3]", .local(slots: .count(2), maxFailures: 3)),
        ("local-cluster[2,1,1024]", .localCluster(executors: 2, cores: 1, memory: .gibibytes(1))),
        ("k8s://https://host:6443", .kubernetes("https://host:6443")),
    ])
    func readsSparksMasters(text: String, master: MasterURL) throws {
        #expect(try MasterURL(text) == master)
        #expect(try MasterURL(master.confText) == master)
    }

    @Test func readsTheMastersOfAStandaloneCluster() throws {
        guard case .standalone(let hosts) = try MasterURL("millrace://a:7077,[::1]:7078") else {
            Issue.record("not standalone")
            return
        }
        #expect(hosts.map(\.host) == ["a", "[::1]"])
        #expect(hosts.map(\.port) == [7077, 7078])
    }

    @Test(arguments: [
        "", "locale", "local[", "local[]", "local[0]", "local[-1]", "local[1,0]", "local[1,2,3]",
        "local[x]", "local-cluster", "local-cluster[2,1]", "local-cluster[2,1,1]",
        "local-cluster[2,1,1024,5]", "local-cluster[0,1,1024]", "millrace://", "millrace://host",
        "millrace://host:0", "millrace://:7077", "millrace://host:99999", "k8s://", "yarn",
        "mesos://host:5050", "local[99999999999999999999]",
    ])
    func refusesWhatIsNoMaster(text: String) {
        #expect(throws: ConfRejection.self) { try MasterURL(text) }
        #expect(throws: ConfError.self) { try Conf(["millrace.master": text]) }
    }
}
