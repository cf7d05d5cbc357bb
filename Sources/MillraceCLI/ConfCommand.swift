import MillraceBase

/// `millrace conf`: the catalog of settings.
enum ConfCommand: Command {
    static let name = "conf"
    static let summary = "lists the settings"
    static let help = """
        usage: millrace conf [--markdown] [WORD]

        Lists every setting with its default, meaning and Spark's names for it; with WORD those
        whose name or group contains it.

          --markdown   as the page Configuration.md (without WORD)
          --help, -h
        """

    static func run(_ arguments: [String]) throws(UsageError) -> Int32 {
        if isAskedForHelp(arguments) { return ExitCode.success }
        var isMarkdown = false
        var reader = ArgumentReader(arguments, flags: ["--markdown"])
        while try reader.nextFlag() != nil { isMarkdown = true }
        guard reader.rest.count <= (isMarkdown ? 0 : 1) else {
            throw UsageError("too many arguments")
        }
        if isMarkdown {
            print(Conf.catalogMarkdown(), terminator: "")
            return ExitCode.success
        }
        let word = reader.rest.first ?? ""
        let text = Conf.catalogText(matching: word)
        guard !text.isEmpty else { throw UsageError("no setting contains '\(word.prefix(100))'") }
        print(text, terminator: "")
        return ExitCode.success
    }
}
