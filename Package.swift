// swift-tools-version: 6.2
import PackageDescription

// One array of settings for every target, so that no module is compiled by rules of its own.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}
func library(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let package = Package(
    name: "millrace",
    products: [
        .library(name: "Millrace", targets: ["Millrace"]),
        .executable(name: "millrace", targets: ["MillraceCLI"]),
        .executable(name: "millrace-bench", targets: ["MillraceBench"]),
        .executable(name: "millrace-sim", targets: ["MillraceSimCLI"]),
        .executable(name: "millrace-interop", targets: ["MillraceInterop"]),
    ],
    targets: [
        // Layer 0: C libraries and shims.
        .target(name: "CLinux"),
        .target(name: "CAllocationCounter"),
        .target(name: "CMachine"),
        library("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev"),
        library("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),
        library("CProtobufC", pkgConfig: "libprotobuf-c", apt: "libprotobuf-c-dev"),
        library("CRdkafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
        library("CLZ4", pkgConfig: "liblz4", apt: "liblz4-dev"),
        library("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        .target(name: "CMillraceProto", dependencies: ["CProtobufC"]),
        .target(name: "CBenchFloor"),

        // Layer 1 to 6: a module imports only modules above it.
        module("MillraceBase", ["CMachine"]),
        module("MillraceCore", ["MillraceBase"]),
        module("MillraceNet", ["MillraceBase", "CLinux", "CNghttp2", "COpenSSL", "CProtobufC", "CMillraceProto"]),
        module("MillraceWire", ["MillraceBase", "MillraceCore", "CLinux", "CProtobufC", "CMillraceProto"]),
        module("MillraceStore", ["MillraceBase", "MillraceCore", "CLinux", "CLZ4", "COpenSSL", "CZstd", "CZlib"]),
        module("MillraceKafka", ["MillraceBase", "MillraceCore", "CLinux", "CRdkafka"]),
        module(
            "MillraceExecutor",
            ["MillraceBase", "MillraceCore", "MillraceNet", "MillraceWire", "MillraceStore", "CLinux", "CMachine", "CZlib"]),
        module(
            "MillraceDriver", ["MillraceBase", "MillraceCore", "MillraceNet", "MillraceWire", "MillraceStore", "CLinux"]),
        module("MillraceDeploy", ["MillraceBase"]),
        module(
            "MillraceShuffleService",
            ["MillraceBase", "MillraceNet", "MillraceWire", "MillraceStore"]),
        module(
            "Millrace",
            [
                "MillraceBase", "MillraceCore", "MillraceNet", "MillraceWire", "MillraceStore", "MillraceExecutor",
                "MillraceDriver", "MillraceKafka",
            ]),
        module(
            "MillraceSim",
            [
                "MillraceBase", "MillraceCore", "MillraceWire", "MillraceStore", "MillraceExecutor",
                "MillraceDriver",
            ]),
        program("MillraceSimCLI", ["MillraceBase", "MillraceCore", "MillraceSim"]),
        program(
            "MillraceCLI",
            [
                "MillraceBase", "MillraceDeploy", "MillraceKafka", "MillraceShuffleService",
                "MillraceWire",
            ]),
        program(
            "MillraceBench",
            ["Millrace", "MillraceBase", "MillraceCore", "CLinux", "CBenchFloor", "CAllocationCounter"]),
        program("MillraceInterop", ["MillraceNet", "MillraceBase", "CMillraceProto", "CProtobufC"]),
        program("WordCount", ["Millrace"]),
        program("StreamingWordCount", ["Millrace", "MillraceBase"]),
        program(
            "MillraceDemo", ["MillraceBase", "MillraceDriver", "MillraceKafka", "MillraceStore", "CLinux"]),

        .target(name: "TestProcess", path: "Tests/TestProcess", swiftSettings: settings),
        tests("MillraceBaseTests", ["MillraceBase", "CMachine"]),
        tests("MillraceCoreTests", ["MillraceCore", "MillraceBase"], exclude: ["Scripts"]),
        tests("MillraceNetTests", ["MillraceNet", "MillraceInterop", "MillraceBase", "CLinux"]),
        .target(
            name: "ClosureShapes", dependencies: ["MillraceWire"], path: "Tests/ClosureShapes",
            swiftSettings: settings),
        .executableTarget(
            name: "ClosureProbe", dependencies: ["ClosureShapes", "MillraceWire", "MillraceBase"],
            path: "Tests/ClosureProbe", swiftSettings: settings),
        tests(
            "MillraceWireTests", ["MillraceWire", "MillraceCore", "MillraceBase", "ClosureShapes", "ClosureProbe", "TestProcess"]),
        tests("MillraceStoreTests", ["MillraceStore", "MillraceCore", "MillraceBase"]),
        tests(
            "MillraceShuffleServiceTests",
            [
                "MillraceShuffleService", "MillraceNet", "MillraceWire", "MillraceStore",
                "MillraceBase",
            ]),
        tests("MillraceKafkaTests", ["MillraceKafka", "MillraceBase", "TestProcess"]),
        tests(
            "MillraceExecutorTests",
            [
                "MillraceExecutor", "MillraceStore", "MillraceCore", "MillraceWire", "MillraceNet",
                "MillraceBase", "CZlib",
            ]),
        tests(
            "MillraceTests",
            [
                "Millrace", "MillraceDriver", "MillraceExecutor", "MillraceNet", "MillraceWire",
                "MillraceStore", "MillraceKafka", "MillraceCore", "MillraceBase",
            ]),
        .executableTarget(
            name: "ClusterJobs", dependencies: ["Millrace", "MillraceStore", "MillraceBase", "CLinux"], path: "Tests/ClusterJobs",
            swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["ClusterJobs", "MillraceDemo", "StreamingWordCount", "MillraceCLI", "MillraceBench", "MillraceNet", "MillraceBase", "TestProcess"],
            exclude: ["Clients"], swiftSettings: settings),
        tests("MillraceSimTests", ["MillraceSim", "MillraceCore", "MillraceBase"]),
        tests("MillraceCLITests", ["MillraceCLI", "MillraceSimCLI", "MillraceDeploy", "MillraceBase", "WordCount", "TestProcess"]),
        .testTarget(
            name: "TidyTests", dependencies: ["MillraceBase", "TestProcess"], exclude: ["Exceptions"],
            swiftSettings: settings),
    ]
)

// MILLRACE_ONLY=MillraceCoreTests,TidyTests swift test: builds these targets and what they need, in
// seconds where everything takes minutes.
if let only = Context.environment["MILLRACE_ONLY"] {
    var wanted = Set(only.split(separator: ",").map(String.init))
    var found = 0
    while found < wanted.count {
        found = wanted.count
        for target in package.targets where wanted.contains(target.name) {
            for dependency in target.dependencies {
                if case .byNameItem(let name, _) = dependency { wanted.insert(name) }
            }
        }
    }
    package.targets.removeAll { !wanted.contains($0.name) }
    package.products.removeAll { product in
        let targets = (product as? Product.Executable)?.targets ?? (product as? Product.Library)?.targets
        return targets.map { !wanted.isSuperset(of: $0) } ?? true
    }
}
