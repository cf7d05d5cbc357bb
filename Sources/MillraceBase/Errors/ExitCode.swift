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
    public static let outOfMemory: Int32 = 52
    /// The directory for shuffle files and spills cannot be written.
    public static let localDirectoryFailure: Int32 = 53
    /// The executor lost its driver.
    public static let heartbeatFailure: Int32 = 56
    /// The driver did not answer in time.
    public static let driverTimeout: Int32 = 124
    /// The program exists but cannot be executed (as shells say it).
    public static let notExecutable: Int32 = 126
    /// The program does not exist (as shells say it).
    public static let programNotFound: Int32 = 127
}
