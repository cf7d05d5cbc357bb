import Glibc
import MillraceBase

/// What the demo's command line says.
struct DemoOptions {
    static let help = """
        usage: deploy/demo.sh [--brokers HOST:PORT,...] [--lines N] [--rate R] [--master URL]
                              [--no-faults] [--kill-broker]

        Counts the words of the licence texts under /usr/share/common-licenses, sent through Kafka
        line by line, on a driver and two executor processes. Kills one executor at batch 10 and the
        driver at batch 20, restarts it from its checkpoint, and compares the counts with an
        independent one. Ends with "exact" and exit code 0, or with the differences and 1.

          --brokers LIST   a running Kafka; otherwise a real broker is started where KAFKA_HOME
                           names a Kafka distribution, else librdkafka's mock cluster in a process
                           of its own
          --lines N        lines to send (default 40000)
          --rate R         lines a second (default 4000)
          --master URL     (default local-cluster[2,1,1024])
          --no-faults      kill nobody
          --kill-broker    also kill and restart the broker at batch 15; only with KAFKA_HOME

        """

    var brokers: String?
    var lines = 40_000
    var rate = 4_000
    var master = "local-cluster[2,1,1024]"
    var hasFaults = true
    var killsBroker = false

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            func value() throws -> String {
                guard let value = rest.popFirst() else {
                    throw Self.misuse("\(argument) needs a value")
                }
                return value
            }
            func number() throws -> Int {
                let text = try value()
                guard let number = Int(text), number > 0 else {
                    throw Self.misuse("\(argument) \(text) is not a number from 1")
                }
                return number
            }
            switch argument {
            case "--brokers": brokers = try value()
            case "--lines": lines = try number()
            case "--rate": rate = try number()
            case "--master": master = try value()
            case "--no-faults": hasFaults = false
            case "--kill-broker": killsBroker = true
            default: throw Self.misuse("\(argument) is not an option; see --help")
            }
        }
        if killsBroker, brokers != nil || getenv("KAFKA_HOME") == nil {
            throw Self.misuse(
                "--kill-broker needs a broker of its own: KAFKA_HOME and no --brokers")
        }
    }

    private static func misuse(_ message: String) -> MillraceError {
        MillraceError(.invalidArgument, message)
    }
}
