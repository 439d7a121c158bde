// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TestSupport
import Testing

/// What each target promises by what it imports (ARCHITECTURE.md, "Parts").
struct ArchitectureTests {
    /// What a folder may import. The longest matching folder decides.
    static let allowed: [String: Set<String>] = [
        "Assignment": [],
        "AgentProtocol": ["Assignment", "Crypto", "FoundationEssentials"],
        "AgentProtocol/Channel": [
            "Assignment", "Crypto", "Darwin", "FoundationEssentials", "Glibc", "Logging", "NIOCore", "NIOPosix",
            "NIOSSL", "Synchronization",
        ],
        "PgStore": ["Assignment", "CLibPQ", "Glibc", "Synchronization"],
        "Dispatcher": dispatcher,
        // Commands read values such as a period from their words; see docs/decisions/0006.
        "dispatcherd": ["ArgumentParser", "Assignment", "CommandUsage", "Dispatcher", "Glibc", "Logging"],
        "Simulation": simulation,
        // Policies and plan settings are read by the daemon's readers; see docs/decisions/0040.
        "agentsim": ["ArgumentParser", "Assignment", "CommandUsage", "Dispatcher", "Glibc", "Logging", "Simulation"],
        "bench": [
            "AgentProtocol", "ArgumentParser", "Assignment", "CAllocations", "Dispatcher", "Glibc", "PgStore",
        ],
        "CommandUsage": ["ArgumentParser", "Assignment", "Glibc"],
    ]
    static let dispatcher: Set = [
        "AgentProtocol", "Assignment", "Configuration", "Crypto", "FoundationEssentials", "Glibc", "Logging",
        "Mustache",
        "NIOCore", "NIOPosix", "PgStore", "ServiceLifecycle", "Synchronization", "UnixSignals", "Yams",
    ]
    static let simulation: Set = [
        "AgentProtocol", "Assignment", "Crypto", "FoundationEssentials", "Glibc", "Histogram", "Logging", "NIOCore",
        "NIOPosix", "PgStore", "Synchronization", "Yams",
    ]

    @Test func `every source imports only what its target may`() throws {
        let sources = try Sources()

        #expect(sources.files.count > 20)
        #expect(
            sources.files.flatMap { file in
                file.imports.subtracting(Self.allowance(of: file.path)).map { "\(file.path): \($0)" }
            } == [])
    }

    /// What is booked alone is for those who book it, and for those who show it.
    @Test func `what judges a term goes by all outages, booked or under way`() throws {
        let booked = /(clock|\bc)\.outage_us|outage_us FROM clock/
        let sources = try Sources()

        #expect(
            sources.files.filter { $0.path.hasPrefix("PgStore/") && $0.text.contains(booked) }.map(\.path)
                == ["PgStore/Engine/EngineStatements.swift"])
        #expect(sources.files.filter { $0.text.contains("Outage.total(") }.count > 4)
    }

    @Test func `every source names its licence on the first line`() throws {
        let sources = try Sources()

        #expect(
            sources.files.filter { !$0.text.hasPrefix("// SPDX-License-Identifier: Apache-2.0\n") }.map(\.path) == [])
    }

    @Test func `no source is longer than 600 lines`() throws {
        let sources = try Sources()

        #expect(
            sources.files.filter { $0.text.split(separator: "\n", omittingEmptySubsequences: false).count > 601 }.map(
                \.path) == [])
    }

    private static func allowance(of path: String) -> Set<String> {
        let best = allowed.keys.filter { path.hasPrefix($0 + "/") }.max { $0.count < $1.count }
        return best.flatMap { allowed[$0] } ?? []
    }
}

/// The Swift files below `Sources`, in the order of their paths.
private struct Sources {
    struct File {
        let path: String
        let text: String

        /// The modules named by import declarations, with whatever access and kind.
        var imports: Set<String> {
            var modules: Set<String> = []
            for line in text.split(separator: "\n") {
                var words = line.split(separator: " ")[...]
                while let word = words.first, Self.modifiers.contains(String(word)) { words = words.dropFirst() }
                guard words.first == "import" else { continue }
                words = words.dropFirst()
                if let kind = words.first, Self.kinds.contains(String(kind)) { words = words.dropFirst() }
                if let name = words.first?.split(separator: ".").first { modules.insert(String(name)) }
            }
            return modules
        }

        private static let modifiers: Set = [
            "public", "package", "internal", "fileprivate", "private", "@testable", "@preconcurrency",
        ]
        private static let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
    }

    let files: [File]

    init() throws {
        let root = Checkout.root + "/Sources"
        let enumerated = try FileManager.default.subpathsOfDirectory(atPath: root)
        files = enumerated.filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
            FileManager.default.contents(atPath: root + "/" + path).map {
                File(path: path, text: String(decoding: $0, as: UTF8.self))
            }
        }
    }
}
