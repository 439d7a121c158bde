// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation
import TestSupport
import Testing

/// The worked example of docs/policy.md, typed as it stands there on the month that it names: every line that the page shows is one
/// that the command prints, in that order.
struct PolicyPageTests {
    private struct Example {
        let command: String
        /// Lines in a row each; between them stands anything.
        let parts: [[String]]
    }

    private static func examples(_ page: String) -> [Example] {
        // What stands between two fences is a block, so every second piece of the page is one.
        let pieces = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            .split(separator: "```", omittingEmptySubsequences: false)
        return pieces.enumerated().filter { $0.offset % 2 == 1 }.compactMap { _, lines in
            guard let first = lines.first, first.hasPrefix("$ dispatcherd ") else { return nil }
            let parts = lines.dropFirst().split(separator: "…").map { Array($0) }
            return Example(command: String(first.dropFirst("$ dispatcherd ".count)), parts: parts)
        }
    }

    @Test func `the page's worked example gives what the page shows`() async throws {
        let page = try String(contentsOf: URL(filePath: Checkout.root + "/docs/policy.md"), encoding: .utf8)
        let shipped = try String(
            contentsOf: URL(filePath: Checkout.root + "/policies/infonavit-2023.yaml"), encoding: .utf8)
        let examples = Self.examples(page)
        let changes = [
            ("{arrears: {above: 3}}", "{arrears: {above: 4}}"),
            ("arrears: {between: [1, 3]}", "arrears: {between: [1, 4]}"),
        ]
        let folder = try TemporaryFolder()

        #expect(
            examples.map { String($0.command.split(separator: " --")[0]) } == [
                "policy check mine.yaml", "policy diff applied mine.yaml", "policy explain mine.yaml",
                "policy what-if mine.yaml",
                "segment",
            ])
        #expect(changes.allSatisfy { page.contains("`\($0.1)`") || page.contains("`when: \($0.1)`") })
        try await TestDatabase.with { database in
            func run(_ program: String, _ words: String) throws -> (code: Int32, text: String) {
                try ChildProcess.run(
                    "/bin/sh",
                    [
                        "-c",
                        "cd \"$1\" && REPARTO_DATABASE_URL=\"$2\" REPARTO_DATABASE_ALLOW_UNSAFE_DURABILITY=true exec \"$0\" "
                            + words,
                        ChildProcess.sibling(program), folder.path, database.conninfo, Checkout.root,
                    ])
            }
            func write(_ text: String) throws {
                try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/mine.yaml"))
            }
            try #require(try run("agentsim", "portfolio --out . --accounts 20000 --seed 7 --period 2024-03").code == 0)
            for words in [
                "import zones \"$3/policies/zones.csv\"", "import schedules \"$3/policies/schedules.csv\"",
                "import contracts contracts.csv", "import cut cut.csv", "import facts facts-opening.csv",
                "segment --policy \"$3/policies/infonavit-2023.yaml\"",
            ] {
                let (code, text) = try run("dispatcherd", "\(words) --period 2024-03")
                try #require(code == 0, "\(words): \(text)")
            }
            try write(shipped.replacing(changes[0].0, with: changes[0].1))
            for example in examples {
                if example.command.hasPrefix("policy what-if") {
                    try write(changes.reduce(shipped) { $0.replacing($1.0, with: $1.1) })
                }
                let (code, text) = try run("dispatcherd", example.command)
                #expect(code == 0, "\(example.command): \(text)")
                var rest = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
                for part in example.parts {
                    let place = rest.indices.first { rest[$0...].starts(with: part) }
                    #expect(place != nil, "\(example.command) does not print: \(part.joined(separator: "\n"))")
                    if let place { rest = rest[(place + part.count)...] }
                }
            }
        }
    }
}
