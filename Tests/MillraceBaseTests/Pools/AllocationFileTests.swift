import MillraceBase
import Testing

@Suite struct AllocationFileTests {
    private func pools(_ text: String) throws(MillraceError) -> [PoolSettings] {
        try AllocationFile.parse(Array(text.utf8), path: "fairscheduler.xml")
    }

    private func message(_ text: String) -> String {
        do {
            return "accepted: \(try pools(text))"
        } catch { return error.message }
    }

    /// The example of Spark's documentation.
    @Test func `Spark's example is read`() throws {
        let pools = try pools(
            """
            <?xml version="1.0"?>
            <!-- Pools
                 of two kinds -->
            <allocations>
              <pool name="production">
                <schedulingMode>FAIR</schedulingMode>
                <weight>1</weight>
                <minShare>2</minShare>
              </pool>
              <pool name='test'>
                <schedulingMode> fifo </schedulingMode>
                <weight>2</weight>
                <minShare>3</minShare>
              </pool>
              <pool name="a &amp; b"/>
            </allocations>
            """)
        var production = PoolSettings(name: "production")
        production.schedulingMode = .fair
        production.minShare = 2
        var test = PoolSettings(name: "test")
        test.weight = 2
        test.minShare = 3
        #expect(pools == [production, test, PoolSettings(name: "a & b")])
    }

    @Test func `no pools are allowed`() throws {
        #expect(try pools("<allocations></allocations>").isEmpty)
        #expect(try pools("<allocations/>\n").isEmpty)
    }

    @Test(arguments: [
        ("", "fairscheduler.xml:1: must begin with <allocations>"),
        ("<pools>\n</pools>", "fairscheduler.xml:1: must begin with <allocations>"),
        ("<allocations>\n<pool>\n", "fairscheduler.xml:2: a pool needs a name: <pool name=\"…\">"),
        (
            "<allocations>\n<pool name=\"a\">\n<weight>zero</weight>",
            "fairscheduler.xml:3: <weight> of pool a is zero, which is not an integer of at least 1"
        ),
        (
            "<allocations><pool name=\"a\"><weight>0</weight>",
            "fairscheduler.xml:1: <weight> of pool a is 0, which is not an integer of at least 1"
        ),
        (
            "<allocations><pool name=\"a\"><minShare>-1</minShare>",
            "fairscheduler.xml:1: <minShare> of pool a is -1, which is not an integer of at least 0"
        ),
        (
            "<allocations><pool name=\"a\">\n<schedulingMode>LIFO</schedulingMode>",
            """
            fairscheduler.xml:2: <schedulingMode> of pool a is LIFO, which is not one of FIFO, FAIR
            """
        ),
        (
            "<allocations><pool name=\"a\"><weigth>1</weigth>",
            "fairscheduler.xml:1: <weigth> is not known; write schedulingMode, weight or minShare"
        ),
        (
            "<allocations><pool name=\"a\"><weight/>",
            "fairscheduler.xml:1: <weight> of pool a has no value"
        ),
        ("<allocations><pool name=\"a\"/>", "fairscheduler.xml:1: </allocations> is missing"),
        (
            "<allocations><pool name=\"a\"/><pool name=\"a\"/>",
            "fairscheduler.xml:1: the pool a stands twice"
        ),
        ("<allocations>\n<!-- \n\n", "fairscheduler.xml:2: a comment has no end"),
        (
            "<allocations><pool name=\"a&b\"/>",
            "fairscheduler.xml:1: & is no known entity; write &amp;"
        ),
        ("<allocations><pool name=a>", "fairscheduler.xml:1: ' is missing after name="),
        ("<allocations></allocations>x", "fairscheduler.xml:1: </allocations> must be the end"),
    ])
    func `what is wrong is said in a line`(_ example: (text: String, message: String)) {
        #expect(message(example.text) == example.message)
    }

    @Test func `broken files never crash`() {
        let text = "<allocations>\n<pool name=\"a\"><weight>1</weight></pool></allocations>"
        for length in 0..<text.utf8.count {
            #expect(throws: MillraceError.self) {
                try AllocationFile.parse(Array(text.utf8.prefix(length)), path: "f")
            }
        }
    }
}
