import MillraceBase
import MillraceCore

/// What can happen at an instant.
enum Happening {
    case nothing

    // MARK: Network

    /// An executor hears from another one, on the data plane.
    case announcement(executor: Int, [UInt8])
    /// The bytes of one message reach an end of a connection.
    case arrival(connection: Int, Side, [UInt8])
    /// An end of a connection learns that it's over.
    case connectionEnd(connection: Int, Side)
    /// An end of a connection that a partition cut does not wait any longer.
    case givingUp(connection: Int, Side)

    // MARK: Driver

    case driverTimer(incarnation: Int)
    case turnEnd(incarnation: Int)
    case driverStart(incarnation: Int)
    case jobSubmission(incarnation: Int)
    case shuffleRelease(ShuffleID, incarnation: Int)

    // MARK: Streaming queries

    case queryStart(query: Int, incarnation: Int)
    /// Something happens to one start of a query.
    case query(Int, run: Int, MicroBatchEvent)
    /// The log's thread writes its next entry.
    case logWrite(Int, run: Int)
    case sinkCommit(Int, run: Int, MicroBatch)
    /// A source gets rows.
    case dataArrival(query: Int)

    // MARK: Executors

    /// A process starts and calls the driver.
    /// What is missing is started.
    case refill(incarnation: Int)
    case executorStart(incarnation: Int)
    case heartbeat(executor: Int)
    /// A process that may go, or must, ends.
    case exit(executor: Int)
    /// A running task gets to its end.
    case taskEnd(executor: Int, TaskID)
    /// A map output has been fetched from an executor that leaves.
    case adoption(executor: Int, OutputMove)
    /// An executor sends what one turn of its loop made.
    case report(executor: Int)

    // MARK: The world

    /// The next misfortune.
    case fault
    /// What had gone wrong is right again.
    case repair(Trouble)
    /// No misfortune from here on.
    case calm
    /// By now all jobs must have ended.
    case deadline
    /// Nothing is on its way any more.
    case nightfall
}

/// An end of a connection.
enum Side: Int {
    case driver, executor
}

/// A misfortune that passes.
enum Trouble {
    /// Two hosts cannot reach each other.
    case partition(Int, Int)
    case slowHost(Int)
    /// An executor that stands still.
    case frozen(Int)
    case fullDisk, badDisk
}
