import Foundation
import MillraceBase
import Testing

/// The settings and the code agree.
@Suite struct SettingTests {
    /// A setting that nothing reads is a promise that is not kept: the catalog says it does
    /// something. Leave it out, and Spark's name for it is ignored aloud.
    @Test func everySettingIsRead() throws {
        var found: [String: Int] = [:]
        let code = SourceTree.sources.filter { !$0.path.hasSuffix("Entries.swift") }
            .map { $0.lines.joined(separator: "\n") }
        for group in Conf.groups {
            // SchedulerEntries is read as conf.scheduler.
            let type = String(describing: group).dropLast("Entries".count)
            let property = type.prefix(1).lowercased() + type.dropFirst()
            for case (let name?, let entry as any AnyConfEntry) in Self.children(of: group) {
                let isRead = code.contains {
                    Self.mentions($0, "\(property).\(name)")
                        || Self.mentions($0, "\(group).entries.\(name)")
                }
                if !isRead { found[entry.key] = 1 }
            }
        }
        try Ratchet(name: "unread-settings", rule: "be read somewhere").check(found)
    }

    /// In code and documents, a key in backquotes is a setting.
    @Test func everySettingThatIsNamedExists() {
        let known = Set(Conf.catalog.map(\.key))
        let pages = SourceTree.paths(in: "Sources", endingWith: ".md") + ["README.md"]
        let texts =
            SourceTree.sources.map { ($0.path, $0.lines.joined(separator: "\n")) }
            + pages.compactMap { path in SourceTree.text(path).map { (path, $0) } }
        for (path, text) in texts {
            for match in text.matches(of: /`(millrace\.(?!v[0-9])[a-z][A-Za-z0-9.]*[A-Za-z0-9])`/) {
                #expect(known.contains(String(match.1)), "\(path) names \(match.1)")
            }
        }
    }

    @Test func everyGroupOfSettingsIsInTheCatalog() {
        let listed = Set(Conf.groups.map { String(describing: $0) })
        for file in SourceTree.sources {
            for line in file.lines
            where line.contains(": ConfEntries {") && !line.contains("//") {
                let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
                guard let index = words.firstIndex(of: "struct") else { continue }
                #expect(listed.contains(String(words[index + 1])), "\(file.path)")
            }
        }
    }

    private static func children(
        of group: any ConfEntries.Type
    ) -> [(String?, Any)] {
        func open<Group: ConfEntries>(_: Group.Type) -> [(String?, Any)] {
            Mirror(reflecting: Group.entries).children.map { ($0.label, $0.value) }
        }
        return open(group)
    }

    private static func mentions(_ code: String, _ name: String) -> Bool {
        var start = code.startIndex
        while let range = code.range(of: name, range: start..<code.endIndex) {
            if range.upperBound == code.endIndex { return true }
            let next = code[range.upperBound]
            if !(next.isLetter || next.isNumber || next == "_") { return true }
            start = range.upperBound
        }
        return false
    }
}
