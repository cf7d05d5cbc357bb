import Glibc
import MillraceBase
import MillraceDeploy
import MillraceShuffleService
import MillraceWire

/// `millrace shuffle-service`: serves shuffle files of executors that are gone.
enum ShuffleServiceCommand: Command {
    static let name = "shuffle-service"
    static let summary = "serves executors' shuffle files, also when they are gone"
    static let help = """
        usage: millrace shuffle-service [flags]
               millrace shuffle-service --status HOST:PORT [--conf KEY=VALUE]...

        Runs the external shuffle service of this host. Executors of applications with
        millrace.shuffle.service.enabled register with it; it serves their shuffle files when
        they are gone and deletes them when the application is. With millrace.shuffle.push.enabled
        they push small blocks to it, which it merges. Prints listening=HOST:PORT once it is ready;
        ends, with exit code 0, on SIGTERM and SIGINT.

          --host HOST             where to listen; default 127.0.0.1. On any other address it
                                  needs millrace.ssl.* or millrace.authenticate.secret.file
          --port N                default: millrace.shuffle.service.port (7337); 0: any
          --block-port N          of the blocks; default: the next one; 0: any
          --state-dir DIR         where registrations are kept over restarts; default
                                  millrace-shuffle-service-PORT in the folder for temporary
                                  files (TMPDIR, or /tmp)
          --local-dirs DIR,...    executors' folders must lie in one of these; default
                                  the folder for temporary files
          --conf, -c KEY=VALUE    a setting (`millrace conf shuffle.service`)
          --properties-file FILE  settings, one `key value` a line
          --status HOST:PORT      show what a running service has done, as JSON
          --help, -h
        """

    private struct Arguments {
        var host = "127.0.0.1"
        var port: Int?
        var blockPort: Int?
        var stateFolder: String?
        var localDirectories: [String] = []
        var status: String?
        var settings = DaemonSettings()

        init(_ arguments: [String]) throws(UsageError) {
            var reader = ArgumentReader(
                arguments,
                flags: DaemonSettings.flags + [
                    "--host", "--port", "--block-port", "--state-dir", "--local-dirs", "--status",
                ])
            while let flag = try reader.nextFlag() {
                if try settings.take(flag, &reader) { continue }
                switch flag {
                case "--host": host = try reader.value()
                case "--port": port = try reader.integer(in: 0...65_535)
                case "--block-port": blockPort = try reader.integer(in: 0...65_535)
                case "--state-dir": stateFolder = try reader.value()
                case "--local-dirs":
                    localDirectories = try reader.value().split(separator: ",").map(String.init)
                case "--status": status = try reader.value()
                default: throw reader.unexpected()
                }
            }
            guard reader.rest.isEmpty else {
                throw UsageError("takes no arguments, got '\(reader.rest[0].prefix(100))'")
            }
        }
    }

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        if isAskedForHelp(arguments) { return ExitCode.success }
        let parsed = try Arguments(arguments)
        let conf: Conf
        do throws(Submission.Refusal) {
            conf = try parsed.settings.conf()
        } catch {
            MillraceCLI.complain("\(name): \(error.message)")
            return error.exitCode
        }
        Log.configure(level: conf.log.level, format: conf.log.format)
        do {
            if let service = parsed.status { return try showStatus(service, conf) }
            return try serve(parsed, conf)
        } catch let error as UsageError {
            throw error
        } catch {
            MillraceCLI.complain("\(name): \(error)")
            return ExitCode.failure
        }
    }

    private static func serve(_ arguments: Arguments, _ conf: Conf) throws -> Int32 {
        let port = arguments.port ?? conf.shuffleService.port
        let roots = try
            (arguments.localDirectories.isEmpty
            ? [LaunchEnvironment.temporaryFolder] : arguments.localDirectories)
            .map(Self.resolved)
        let options = ShuffleService.Options(
            host: arguments.host, port: port,
            blockPort: arguments.blockPort ?? (port == 0 ? 0 : port + 1),
            stateFolder: arguments.stateFolder
                ?? "\(LaunchEnvironment.temporaryFolder)/millrace-shuffle-service-\(port)",
            roots: roots, applicationTimeout: conf.shuffleService.applicationTimeout,
            token: try ShuffleServiceProgram.token(conf))
        try ShuffleServiceProgram.run(options, conf: conf) { address in
            print("listening=\(address)")
            fflush(nil)
        }
        return ExitCode.success
    }

    private static func resolved(_ folder: String) throws(UsageError) -> String {
        guard let real = realpath(folder, nil) else {
            throw UsageError("--local-dirs: \(folder): \(String(cString: strerror(errno)))")
        }
        defer { free(real) }
        return String(cString: real)
    }

    private static func showStatus(_ service: String, _ conf: Conf) throws -> Int32 {
        let status = try ShuffleServiceStatusQuery.status(of: service, conf: conf)
        let object: JSONValue = .object([
            "registeredApplications": .integer(Int64(status.registeredApplications)),
            "registeredExecutorsSize": .integer(Int64(status.registeredExecutors)),
            "numActiveConnections": .integer(Int64(status.activeConnections)),
            "blocksServed": .integer(Int64(status.blocksServed)),
            "blockBytesServed": .integer(Int64(status.blockBytesServed)),
            "blocksNotFound": .integer(Int64(status.blocksNotFound)),
            "requestsRefused": .integer(Int64(status.requestsRefused)),
            "applicationsFinished": .integer(Int64(status.applicationsFinished)),
            "applicationsExpired": .integer(Int64(status.applicationsExpired)),
            "filesDeleted": .integer(Int64(status.filesDeleted)),
            "blocksMerged": .integer(Int64(status.blocksMerged)),
            "blockBytesWritten": .integer(Int64(status.blockBytesWritten)),
            "duplicateBlockPushes": .integer(Int64(status.duplicateBlockPushes)),
            "lateBlockPushes": .integer(Int64(status.lateBlockPushes)),
            "staleBlockPushes": .integer(Int64(status.staleBlockPushes)),
            "mergedChunksServed": .integer(Int64(status.mergedChunksServed)),
        ])
        print(object.compact)
        return ExitCode.success
    }
}
