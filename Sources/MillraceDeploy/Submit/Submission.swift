import Glibc
public import MillraceBase

/// An application that is ready to be started: its program exists and can be executed, its
/// settings are complete and valid, its files are there.
///
/// Strongest first, a setting comes from the program itself (in `MillraceContext`), a flag that
/// stands for it, `--conf`, the properties file, its default: spark-submit's order.
public struct Submission: Sendable {
    /// The program's absolute path, without symbolic links.
    public let program: String
    /// The program as it was given: its name to itself (`argv[0]`).
    public let givenProgram: String
    public let programArguments: [String]
    public let conf: Conf
    /// The properties file that was read, for `--verbose`.
    public let propertiesFile: String?

    /// Why a submission cannot start: one line, and the exit code it has.
    public struct Refusal: Error, Sendable, CustomStringConvertible {
        public let message: String
        public let exitCode: Int32
        public var description: String { message }
    }

    /// Checks everything that can be checked before the program runs.
    public init(
        _ arguments: SubmitArguments, environment: (String) -> String? = LaunchEnvironment.variable
    ) throws(Refusal) {
        program = try Self.executable(arguments.program)
        givenProgram = arguments.program
        programArguments = arguments.programArguments
        propertiesFile = Self.propertiesFile(arguments, environment)
        var settings = [
            ConfSetting(
                ApplicationEntries.entries.name.key, Self.lastComponent(arguments.program),
                from: .flag("BINARY"))
        ]
        if let path = propertiesFile { settings += try Self.readProperties(path) }
        settings += arguments.settings
        var conf = try Self.checked(settings)
        let files = try conf.application.submittedFiles.map { file throws(Refusal) in
            try Self.existing(file)
        }
        if !files.isEmpty {
            let key = ApplicationEntries.entries.submittedFiles.key
            conf = try Self.checked(
                conf.settings + [ConfSetting(key, files.confText, from: .flag("--files"))])
        }
        if let reason = conf.application.master.whyUnsupported {
            throw Refusal(message: reason, exitCode: ExitCode.misuse)
        }
        if conf.application.deployMode == .cluster {
            throw Refusal(
                message: "--deploy-mode cluster is not supported yet; use client",
                exitCode: ExitCode.misuse)
        }
        self.conf = conf
    }

    /// Becomes the program: the same process, so that signals reach it, its exit code is the exit
    /// code, and nothing is left behind when either is killed. Returns only when that fails.
    public func execute() -> Refusal {
        setenv(LaunchEnvironment.conf, LaunchEnvironment.text(of: conf), 1)
        // A launcher that is itself started from a thread that blocks signals (a job runner's)
        // would make the application deaf to SIGTERM: the mask is inherited across both starts.
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([givenProgram] + programArguments).map { strdup($0) } + [nil]
        execv(program, &arguments)
        let code = errno
        for argument in arguments { free(argument) }
        return Refusal(
            message: "\(program) cannot be executed: \(String(cString: strerror(code)))",
            exitCode: ExitCode.notExecutable)
    }

    private static func executable(_ path: String) throws(Refusal) -> String {
        guard let whole = absolute(path) else {
            throw Refusal(
                message: "\(path): \(String(cString: strerror(errno)))",
                exitCode: ExitCode.programNotFound)
        }
        var status = stat()
        guard stat(whole, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            access(whole, X_OK) == 0
        else {
            throw Refusal(
                message: "\(path) is not an executable file", exitCode: ExitCode.notExecutable)
        }
        return whole
    }

    /// `--properties-file`, else `millrace-defaults.conf` in `MILLRACE_CONF_DIR` if it is there.
    private static func propertiesFile(
        _ arguments: SubmitArguments, _ environment: (String) -> String?
    ) -> String? {
        if let path = arguments.propertiesFile { return path }
        guard let directory = environment("MILLRACE_CONF_DIR") else { return nil }
        let path = directory + "/millrace-defaults.conf"
        return access(path, F_OK) == 0 ? path : nil
    }

    static func readProperties(_ path: String) throws(Refusal) -> [ConfSetting] {
        let bytes = try contents(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Refusal(message: "\(path) is not UTF-8 text", exitCode: ExitCode.misuse)
        }
        do throws(ConfError) {
            return try PropertiesFile.parse(text, path: path)
        } catch {
            throw Refusal(message: error.description, exitCode: ExitCode.misuse)
        }
    }

    static func checked(_ settings: [ConfSetting]) throws(Refusal) -> Conf {
        do throws(ConfError) {
            return try Conf(settings)
        } catch {
            throw Refusal(message: error.description, exitCode: ExitCode.misuse)
        }
    }

    private static func existing(_ file: String) throws(Refusal) -> String {
        let path = file.hasPrefix("file://") ? String(file.dropFirst(7)) : file
        guard let whole = absolute(path) else {
            throw Refusal(
                message: "--files: \(path): \(String(cString: strerror(errno)))",
                exitCode: ExitCode.misuse)
        }
        return whole
    }

    /// A properties file is small; a path that turns out to be a device or a disk image is not one.
    private static let maximumPropertiesBytes = 4 << 20

    private static func contents(_ path: String) throws(Refusal) -> [UInt8] {
        func refusal() -> Refusal {
            Refusal(
                message: "\(path): \(String(cString: strerror(errno)))", exitCode: ExitCode.misuse)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw refusal() }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= maximumPropertiesBytes else {
                throw Refusal(
                    message: "\(path) is larger than 4 MiB: not a properties file",
                    exitCode: ExitCode.misuse)
            }
        }
    }

    /// nil, and `errno`, when there is no such file.
    private static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func lastComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
