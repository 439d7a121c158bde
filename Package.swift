// swift-tools-version: 6.2
import PackageDescription

/// One rule for all targets: language mode 6, every warning an error, and the upcoming features that make
/// imports and isolation say what they mean.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "reparto",
    products: [
        .executable(name: "dispatcherd", targets: ["dispatcherd"]),
        .executable(name: "agentsim", targets: ["agentsim"]),
        .library(name: "AgentClient", targets: ["AgentProtocol"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "Assignment", swiftSettings: settings),
        .target(
            name: "AgentProtocol",
            dependencies: [
                "Assignment",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings),
        .systemLibrary(
            name: "CLibPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]),
        .target(
            name: "PgStore", dependencies: ["CLibPQ", "Assignment"],
            resources: [
                .embedInCode("Migrations/m0001-spine.sql"), .embedInCode("Migrations/m0002-policy.sql"),
                .embedInCode("Migrations/m0003-exhaustion.sql"), .embedInCode("Migrations/m0004-wire.sql"),
                .embedInCode("Migrations/m0005-starts.sql"),
                .embedInCode("Migrations/m0006-allocation.sql"),
                .embedInCode("Migrations/m0007-month.sql"),
                .embedInCode("Migrations/m0008-lifecycle.sql"),
                .embedInCode("Migrations/m0009-closing.sql"),
                .embedInCode("Migrations/m0010-dealing.sql"),
                .embedInCode("Migrations/m0011-contact-duties.sql"),
                .embedInCode("Migrations/m0012-proof.sql"),
                .embedInCode("Migrations/m0013-runs.sql"),
                .embedInCode("Migrations/m0014-recovery.sql"),
                .embedInCode("Migrations/m0015-terms.sql"),
                .embedInCode("Migrations/m0016-limits.sql"),
                .embedInCode("Migrations/m0017-late-words.sql"),
                .embedInCode("Migrations/m0018-outages.sql"),
                .embedInCode("Migrations/m0019-spent.sql"),
                .embedInCode("Migrations/m0020-dump-witness.sql"),
                .embedInCode("Migrations/m0021-agencies.sql"),
                .embedInCode("Migrations/m0022-partitions.sql"),
                .embedInCode("Migrations/m0023-moved.sql"),
            ],
            swiftSettings: settings),
        .target(
            name: "Dispatcher",
            dependencies: [
                "Assignment", "AgentProtocol", "PgStore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            swiftSettings: settings),
        .target(
            name: "CommandUsage",
            dependencies: [
                "Assignment",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "dispatcherd",
            dependencies: [
                "Dispatcher", "Assignment", "CommandUsage",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .target(
            name: "Simulation",
            dependencies: [
                "Assignment", "AgentProtocol", "PgStore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "agentsim",
            dependencies: [
                "Simulation", "Dispatcher", "CommandUsage",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        // What `make bench` compares with other programs; it is part of no product.
        .target(name: "CAllocations"),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Dispatcher", "PgStore", "Assignment", "AgentProtocol", "CAllocations",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .testTarget(name: "AssignmentTests", dependencies: ["Assignment"], swiftSettings: settings),
        .testTarget(
            name: "AgentProtocolTests",
            dependencies: [
                "AgentProtocol", "Assignment", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOTestUtils", package: "swift-nio"),
            ],
            exclude: ["Certificates", "FuzzCorpus"], swiftSettings: settings),
        .target(name: "TestSupport", dependencies: ["PgStore"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "PgStoreTests", dependencies: ["PgStore", "Assignment", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "DispatcherTests",
            dependencies: [
                "Dispatcher", "AgentProtocol", "PgStore", "Assignment", "Simulation", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["Policy/BrokenPolicies", "Policy/FuzzCorpus"], swiftSettings: settings),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "Dispatcher", "AgentProtocol", "PgStore", "Assignment", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
    ]
)
