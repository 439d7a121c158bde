// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd evidence`: what came too late, refused and kept.
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Lists what came too late and was kept, and decides about the reports that no rule settles.",
        discussion: """
            Late returns and objections change nothing: they are listed with their reason, and wait for nobody.

            A late report of work done inside the lease counts by itself where it arrives within the policy's span. Later \
            ones, and those of accounts that have a next holder, wait for a person.

            Examples:
              dispatcherd evidence list --waiting
              dispatcherd evidence accept 1207 1208 --reason line-was-down --by ana
              dispatcherd evidence reject 1209 --reason not-on-file
            """,
        subcommands: [List.self, Accept.self, Reject.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists evidence by number.",
            discussion: """
                Examples:
                  dispatcherd evidence list --waiting
                  dispatcherd evidence list --agency ACE07 --json
                """)
        @Flag(help: "Only what waits for a decision.")
        var waiting = false
        @Option(help: "One agency's, as ACE07.")
        var agency: String?
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            Console.out(
                try Adjudication.list(waiting: waiting, agency: agency, asJSON: json, try await database.open()))
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accepts evidence: it is an outcome from then on, marked as late.",
            discussion: """
                It cannot be undone; the delegation still reviews the outcome.

                Examples:
                  dispatcherd evidence accept 1207 --reason line-was-down --by ana
                """)
        @OptionGroup var decision: DecisionArguments
        func run() async throws { try await decision.run(.accepted) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rejects evidence: it stays evidence, and does not count.",
            discussion: """
                Examples:
                  dispatcherd evidence reject 1209 --reason not-on-file
                """)
        @OptionGroup var decision: DecisionArguments
        func run() async throws { try await decision.run(.rejected) }
    }

    struct DecisionArguments: ParsableArguments {
        @Argument(help: "Numbers of evidence; `dispatcherd evidence list --waiting` shows them.")
        var evidence: [Int64]
        @Option(help: "Why, in 1 to 64 of A-Z a-z 0-9 . _ -.")
        var reason: String
        @Option(help: "Who decides.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func run(_ decision: Adjudication.Decision) async throws {
            Console.done(
                try Adjudication.decide(evidence, decision, reason: reason, by: by, try await database.open()))
        }
    }
}
