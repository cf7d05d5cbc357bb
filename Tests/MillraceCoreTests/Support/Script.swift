/// A text of commands and what each did: `command`, `----`, lines of output, a blank line. Lines
/// with `#` before a command say what it's about.
struct Script {
    struct Step {
        var comments: [String]
        var command: String
        var output: [String]
        /// For messages.
        var line: Int
    }

    var steps: [Step] = []
    var trailer: [String] = []

    init(_ text: String) {
        var comments: [String] = []
        var isOutput = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let line = String(line)
            if line.isEmpty {
                isOutput = false
                if !comments.isEmpty, comments.last != "" { comments.append("") }
            } else if line == "----" {
                isOutput = true
            } else if isOutput {
                steps[steps.count - 1].output.append(line)
            } else if line.hasPrefix("#") {
                comments.append(line)
            } else {
                steps.append(Step(comments: comments, command: line, output: [], line: number + 1))
                comments = []
            }
        }
        trailer = comments
    }

    var text: String {
        var lines: [String] = []
        for step in steps {
            lines += step.comments + [step.command, "----"] + step.output + [""]
        }
        if lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }
}
