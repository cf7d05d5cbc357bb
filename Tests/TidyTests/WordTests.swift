import Foundation
import Testing

/// Words that have no place, or only a known one.
@Suite struct WordTests {
    @Test func onlyProgramsPrint() throws {
        try Ratchet(name: "print", rule: "log instead of printing")
            .check(
                occurrences(of: ["print(", "debugPrint("], in: SourceTree.sources) {
                    !SourceTree.programs.contains($0.module)
                })
    }

    @Test func uncheckedSendablesAreCounted() throws {
        var found: [String: Int] = [:]
        for file in SourceTree.sources {
            let count = file.lines.count { $0.contains("@unchecked Sendable") }
            if count > 0 { found[file.module, default: 0] += count }
        }
        try Ratchet(
            name: "unchecked-sendable", rule: "let the compiler see that a type is Sendable"
        ).check(found)
    }

    @Test func nothingIsLeftForLater() throws {
        // In parts, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "preconditionFailure(\"so" + "on\")"]
        try Ratchet(name: "unfinished", rule: "be finished, or be an issue")
            .check(occurrences(of: words, in: SourceTree.files))
    }

    @Test func noPathOfOneMachine() throws {
        let paths = ["/" + "work/", "/" + "root/"]
        try Ratchet(name: "paths", rule: "name no path of one machine")
            .check(occurrences(of: paths, in: SourceTree.files))
    }

    @Test func testsWaitForEventsAndDoNotSleep() throws {
        let calls = ["usleep", "Task.sleep", "Thread.sleep", " sleep"].map { $0 + "(" }
        try Ratchet(name: "sleeps", rule: "wait for what happens instead of sleeping")
            .check(occurrences(of: calls, in: SourceTree.files.filter { !$0.isSource }))
    }

    @Test func noTaskIsStartedBelowThePublicDoor() throws {
        let calls = ["Task {", "Task.detached", "DispatchQueue", "withTaskGroup"]
        let doors = SourceTree.programs.union(["Millrace"])
        try Ratchet(name: "tasks", rule: "run on a loop or a task thread, not in a Task")
            .check(occurrences(of: calls, in: SourceTree.sources) { !doors.contains($0.module) })
    }

    /// Lines per file that contain one of the words outside a comment.
    private func occurrences(
        of words: [String], in files: [SourceTree.File],
        where isChecked: (SourceTree.File) -> Bool = { _ in true }
    ) -> [String: Int] {
        var found: [String: Int] = [:]
        for file in files where isChecked(file) && file.module != "TidyTests" {
            let count = file.lines.count { line in
                let code = line.drop { $0 == " " }
                let isComment = code.hasPrefix("//") && !words.contains { code.contains($0 + ":") }
                return !isComment && words.contains { contains(code, $0) }
            }
            if count > 0 { found[file.path] = count }
        }
        return found
    }

    /// The word at the start of a word: "print(" is not in "footprint(", nor in "fingerprint(".
    private func contains(_ code: Substring, _ word: String) -> Bool {
        guard let range = code.range(of: word) else { return false }
        guard let first = word.first, first.isLetter, range.lowerBound > code.startIndex else {
            return true
        }
        let before = code[code.index(before: range.lowerBound)]
        return !(before.isLetter || before.isNumber || before == "_" || before == ".")
    }
}
