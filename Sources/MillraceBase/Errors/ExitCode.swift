/// The exit codes of every Millrace process. They are Spark's (`SparkExitCode`,
/// `ExecutorExitCode`), so that scripts and dashboards that know those know these; a process ended
/// by signal n is 128 + n to its shell.
public enum ExitCode {
    public static let success: Int32 = 0
    public static let failure: Int32 = 1
    /// Wrong arguments or settings: one line on stderr says which, and nothing was started.
    public static let misuse: Int32 = 2
    /// A path that is needed does not exist.
    public static let pathNotFound: Int32 = 3
    /// More executors failed than the application allows.
    public static let tooManyExecutorFailures: Int32 = 11
    /// A bug: an error that nothing caught.
    public static let uncaughtError: Int32 = 50
    /// An error while the process was ending because of one.
    public static let uncaughtErrorTwice: Int32 = 51
    public static let outOfMemory: Int32 = 52
    /// The directory for shuffle files and spills cannot be written.
    public static let localDirectoryFailure: Int32 = 53
    /// The executor lost its driver.
    public static let heartbeatFailure: Int32 = 56
    /// A task that was asked to end didn't (`millrace.task.reaper.killTimeout`).
    public static let killedByTaskReaper: Int32 = 57
    /// The driver did not answer in time.
    public static let driverTimeout: Int32 = 124
    /// The program exists but cannot be executed (as shells say it).
    public static let notExecutable: Int32 = 126
    /// The program does not exist (as shells say it).
    public static let programNotFound: Int32 = 127

    /// What an executor's exit code says, for the one who reads of its loss; nil for a code that
    /// isn't one of these. Spark's ExecutorExitCode.explainExitCode.
    public static func meaning(_ code: Int32) -> String? {
        switch code {
        case misuse: "settings or arguments that cannot be right"
        case uncaughtError: "an error that nothing caught"
        case uncaughtErrorTwice: "a second error while it was ending"
        case outOfMemory: "out of memory"
        case localDirectoryFailure: "its local directory cannot be written"
        case heartbeatFailure: "it lost its driver"
        case killedByTaskReaper: "a killed task did not end"
        default: nil
        }
    }
}
