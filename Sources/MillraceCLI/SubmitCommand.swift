import MillraceBase
import MillraceDeploy

/// `millrace submit`: checks everything that can be checked, then becomes the application.
enum SubmitCommand: Command {
    static let name = "submit"
    static let summary = "runs an application"
    static let help = """
        usage: millrace submit [flags] BINARY [arguments]

        Runs a Millrace application: BINARY with its arguments, and with settings from the flags
        and the properties file. The strongest first: the program, the flags below, --conf, the
        properties file, the default.

          --master MASTER         local[N], local[*], local[N,failures] or
                                  local-cluster[executors,cores,memoryMiB]; default local[*]
          --deploy-mode client    the driver runs here (cluster: not supported yet)
          --name NAME             the application's name; default: the name of BINARY
          --conf, -c KEY=VALUE    a setting, Millrace's or Spark's name (`millrace conf`)
          --properties-file FILE  settings, one `key value` a line; default:
                                  millrace-defaults.conf in the directory MILLRACE_CONF_DIR
          --num-executors N       executors, where the master does not say it
          --executor-cores N      tasks that an executor runs at once
          --executor-memory SIZE  such as 512m or 1g
          --driver-memory SIZE
          --files FILE,FILE...    files for every executor
          --verbose, -v           show what is run and with which settings
          --help, -h

        The exit code is the application's; 2: wrong arguments or settings; 126, 127: BINARY
        cannot be executed, does not exist.
        """

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        guard let parsed = try SubmitArguments.parse(arguments) else {
            print(help)
            return ExitCode.success
        }
        let submission: Submission
        do throws(Submission.Refusal) {
            submission = try Submission(parsed)
        } catch {
            return refuse(error)
        }
        if let warning = submission.conf.warning { MillraceCLI.complain("submit: \(warning)") }
        if parsed.isVerbose { show(submission) }
        return refuse(submission.execute())
    }

    private static func refuse(_ refusal: Submission.Refusal) -> Int32 {
        MillraceCLI.complain("submit: \(refusal.message)")
        return refusal.exitCode
    }

    private static func show(_ submission: Submission) {
        var text = "program: \(submission.program)\n"
        text += "arguments: \(submission.programArguments)\n"
        text += "properties file: \(submission.propertiesFile ?? "none")\n"
        for (key, value) in submission.conf.redacted { text += "\(key)=\(value)\n" }
        StandardError.write(Array(text.utf8))
    }
}
