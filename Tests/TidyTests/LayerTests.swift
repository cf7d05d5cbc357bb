import Foundation
import Testing

/// Who may import what: a module imports only modules of lower layers, and the operating system
/// and C libraries only where they belong.
@Suite struct LayerTests {
    /// The layers of the design; modules of one layer do not know each other.
    static let layers: [String: Int] = {
        var layers = [
            "MillraceBase": 1, "MillraceCore": 2, "MillraceNet": 2, "MillraceWire": 3,
            "MillraceStore": 3, "MillraceExecutor": 4, "MillraceDriver": 4, "MillraceKafka": 4,
            "MillraceDeploy": 4,
            "MillraceShuffleService": 4, "MillraceUI": 4, "Millrace": 5, "MillraceSim": 5,
            "MillraceTesting": 7,
        ]
        for program in SourceTree.programs { layers[program] = 6 }
        return layers
    }()

    /// The modules that may import a library; one not named here is free (the standard library).
    static let homes: [String: Set<String>] = [
        "CNghttp2": ["MillraceNet"],
        "COpenSSL": ["MillraceNet", "MillraceStore"],
        "CProtobufC": ["MillraceNet", "MillraceWire", "MillraceInterop"],
        "CMillraceProto": ["MillraceNet", "MillraceWire", "MillraceInterop"],
        "CRdkafka": ["MillraceKafka"],
        "CMachine": ["MillraceBase", "MillraceExecutor"],
        "CLZ4": ["MillraceStore", "MillraceExecutor"],
        "CZstd": ["MillraceStore", "MillraceExecutor"],
        "CZlib": ["MillraceStore", "MillraceExecutor"],
        "Foundation": ["MillraceBench"],
        "FoundationEssentials": ["MillraceBench"],
        "Dispatch": [],
    ]

    /// MillraceCore decides and MillraceBase names things; neither touches the operating system,
    /// but for these files of Base, each of which says why.
    static let pure: Set<String> = ["MillraceBase", "MillraceCore"]
    static let impure = ["Glibc", "CLinux", "Dispatch", "Foundation", "FoundationEssentials"]
    static let impureFiles: Set<String> = [
        "Sources/MillraceBase/Observability/Log+Stderr.swift",
        "Sources/MillraceBase/Conf/LaunchEnvironment.swift",
    ]

    @Test func everyModuleHasALayer() {
        #expect(SourceTree.sources.count > 100, "the sources are not where they are looked for")
        for module in Set(SourceTree.sources.map(\.module)) {
            #expect(Self.layers[module] != nil, "\(module) is in no layer")
        }
    }

    @Test func modulesImportOnlyLowerLayers() {
        for (file, imported) in Self.imports {
            guard let above = Self.layers[imported], let own = Self.layers[file.module] else {
                continue
            }
            #expect(above < own, "\(file.path) imports \(imported), which is not below it")
        }
    }

    @Test func librariesAreImportedWhereTheyBelong() {
        for (file, imported) in Self.imports {
            guard let homes = Self.homes[imported] else { continue }
            #expect(homes.contains(file.module), "\(file.path) imports \(imported)")
        }
    }

    @Test func whatDecidesDoesNotTouchTheOperatingSystem() {
        for (file, imported) in Self.imports
        where Self.pure.contains(file.module) && Self.impure.contains(imported) {
            #expect(Self.impureFiles.contains(file.path), "\(file.path) imports \(imported)")
        }
    }

    static let imports: [(file: SourceTree.File, module: String)] = SourceTree.sources.flatMap {
        file in file.lines.compactMap { importedModule($0).map { (file, $0) } }
    }

    /// "@preconcurrency public import struct Foundation.Data" → "Foundation".
    static func importedModule(_ line: Substring) -> String? {
        var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })[...]
        while let word = words.first,
            word.hasPrefix("@")
                || ["public", "package", "internal", "fileprivate", "private"].contains(word)
        {
            words.removeFirst()
        }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
        if let kind = words.first, kinds.contains(String(kind)) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }

    @Test func findsImportsOfEveryForm() {
        #expect(Self.importedModule("import Glibc") == "Glibc")
        #expect(Self.importedModule("public import MillraceBase") == "MillraceBase")
        #expect(Self.importedModule("@_spi(X) import struct Foundation.Data") == "Foundation")
        #expect(Self.importedModule("// import Foundation") == nil)
    }
}
