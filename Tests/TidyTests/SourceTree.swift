import Foundation

/// The Swift files of this package, read once.
struct SourceTree {
    /// One file; `path` is relative to the package.
    struct File {
        var path: String
        var lines: [Substring]

        /// The folder under Sources or Tests: the target.
        var module: String { String(path.split(separator: "/")[1]) }
        var isSource: Bool { path.hasPrefix("Sources/") }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Sources and tests, in the order of their paths.
    static let files: [File] = ["Sources", "Tests"].flatMap { swiftFiles(in: $0) }
        .sorted { $0.path < $1.path }

    static let sources: [File] = files.filter(\.isSource)

    /// The targets that are programs: nothing imports them.
    static let programs: Set<String> = Set(
        (text("Package.swift") ?? "").matches(of: /program\(\s*"(\w+)"/).map { String($0.1) })

    /// The text of one file of the package; nil if it does not exist.
    static func text(_ path: String) -> String? {
        guard let data = try? Data(contentsOf: root.appendingPathComponent(path)) else {
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Paths below a folder, relative to the package.
    static func paths(in folder: String, endingWith suffix: String) -> [String] {
        let base = root.appendingPathComponent(folder).resolvingSymlinksInPath().path
        let found = FileManager.default.enumerator(atPath: base)
        return (found?.allObjects as? [String] ?? []).filter { $0.hasSuffix(suffix) }
            .map { "\(folder)/\($0)" }.sorted()
    }

    private static func swiftFiles(in folder: String) -> [File] {
        paths(in: folder, endingWith: ".swift").compactMap { path in
            guard let text = text(path) else { return nil }
            return File(
                path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }
}
