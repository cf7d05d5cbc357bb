import MillraceBase
import Testing

@Suite struct ConfTextTests {
    @Test func bothCatalogsNameEverySetting() {
        let markdown = Conf.catalogMarkdown()
        let plain = Conf.catalogText()
        for entry in Conf.catalog {
            #expect(markdown.contains("| `\(entry.key)` |"))
            #expect(plain.contains("\(entry.key)=\(entry.defaultText)\n"))
        }
    }

    @Test func everySettingIsExplainedInASentence() {
        for entry in Conf.catalog {
            #expect(entry.doc.hasSuffix(".") || entry.doc.hasSuffix("`."), "\(entry.key)")
            #expect(entry.doc.count >= 20, "\(entry.key)")
            #expect(!entry.doc.contains("\n"), "\(entry.key)")
        }
    }

    @Test func aliasesAreSparksOwnNames() throws {
        for entry in Conf.catalog {
            for alias in entry.aliases {
                #expect(alias.hasPrefix("spark."), "\(alias)")
                #expect(alias != "spark." + entry.key.dropFirst("millrace.".count), "\(alias)")
            }
        }
    }

    @Test func theCatalogCanBeNarrowed() {
        let narrowed = Conf.catalogText(matching: "stateStore")
        #expect(narrowed.contains("millrace.state.minDeltasForSnapshot=10"))
        #expect(!narrowed.contains("millrace.state.keyGroups"))
        #expect(Conf.catalogText(matching: "no such thing").isEmpty)
    }
}
