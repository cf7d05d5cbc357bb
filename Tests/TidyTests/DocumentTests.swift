import Foundation
import Testing

/// Documents refer to what exists.
@Suite struct DocumentTests {
    private static let catalog = "Sources/Millrace/Millrace.docc"
    private static let pages = SourceTree.paths(in: catalog, endingWith: ".md")

    @Test func filesThatAreLinkedToExist() throws {
        let readme = try #require(SourceTree.text("README.md"))
        for match in readme.matches(of: /\]\(([^)#]+)\)/) where !match.1.contains("://") {
            #expect(SourceTree.text(String(match.1)) != nil, "README.md links to \(match.1)")
        }
    }

    @Test func pagesThatAreLinkedToExist() throws {
        let names = Set(Self.pages.map { $0.split(separator: "/").last!.dropLast(3) })
        for page in Self.pages {
            let text = try #require(SourceTree.text(page))
            for match in text.matches(of: /<doc:([^>]+)>/) {
                #expect(names.contains(match.1), "\(page) links to \(match.1)")
            }
        }
    }

    @Test func sourceFilesThatAreNamedExist() throws {
        let files = Set(SourceTree.files.map { $0.path.split(separator: "/").last! })
        for page in Self.pages + ["README.md"] where !page.hasSuffix("Style.md") {
            let text = try #require(SourceTree.text(page))
            for match in text.matches(of: /`([A-Za-z0-9+]+\.swift)`/) {
                #expect(files.contains(match.1), "\(page) names \(match.1)")
            }
        }
    }

    @Test func theProgramInTheReadmeIsTheOneThatIsTested() throws {
        let readme = try #require(SourceTree.text("README.md"))
        let program = try #require(SourceTree.text("Sources/WordCount/WordCount.swift"))
        #expect(readme.contains("```swift\n\(program)```"))
    }

    /// The programs and scripts that documents tell people to run.
    @Test func scriptsThatAreNamedExist() throws {
        for page in Self.pages + ["README.md"] {
            let text = try #require(SourceTree.text(page))
            for match in text.matches(of: /(deploy\/[a-z-]+\.sh)/) {
                let path = SourceTree.root.appendingPathComponent(String(match.1)).path
                #expect(
                    FileManager.default.isExecutableFile(atPath: path), "\(page) names \(match.1)")
            }
        }
    }

    @Test func everyPageIsReachableFromTheFirst() throws {
        let first = try #require(SourceTree.text("\(Self.catalog)/Millrace.md"))
        for page in Self.pages where !page.hasSuffix("/Millrace.md") {
            let name = page.split(separator: "/").last!.dropLast(3)
            #expect(first.contains("<doc:\(name)>"), "\(name)")
        }
    }
}
