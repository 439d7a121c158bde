// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd ledger`: proof that nothing of the past was changed.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Verifies the ledger, signs closed months, and makes and checks proofs of single records.",
        discussion: """
            See docs/ledger.md for what is hashed and signed, byte by byte.

            Examples:
              dispatcherd ledger verify
              dispatcherd ledger prove --receipt 9c1185a5c5e9fc54612808977ee8f548b2258d31ef0f2d3c2b1b6f4a1d0e7c55 \\
                --out proof.json
              dispatcherd ledger check proof.json
            """,
        subcommands: [Verify.self, Watch.self, Prove.self, Check.self, Sign.self, Key.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Computes roots, heads, leases, counters and bases of fees again and compares them; writes nothing.",
            discussion: """
                Exit code 1 where anything was changed. --sample looks at some delegations only; the ledger's own keys, roots
                and statements are always looked at, agencies' keys only without it.

                Examples:
                  dispatcherd ledger verify
                  dispatcherd ledger verify --sample 3 --seed 20240409
                  dispatcherd ledger verify --json
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "Only so many delegations, chosen by --seed.")
        var sample: Int?
        @Option(help: "Which ones; the same number chooses the same ones.")
        var seed: UInt64 = 0
        @Flag(help: "As JSON.")
        var json = false

        func validate() throws {
            if let sample, sample < 1 { throw ValidationError("--sample is 1 or more.") }
        }

        func run() async throws {
            let report = try LedgerVerification(try await database.open()).run(sample: sample, seed: seed) {
                done, all in
                Console.progress("verified", done: done, of: all, isDone: done == all)
            }
            if json {
                Console.out(try JSONText.of(report))
            } else {
                for line in report.lines { Console.out(line) }
            }
            if !report.findings.isEmpty { throw ExitCode(1) }
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "What the nodes' own verifications found (ledger.watch-minutes); exit code 1 where they found anything.",
            discussion: """
                Examples:
                  dispatcherd ledger watch
                """)
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let (lines, hasFindings) = try LedgerWatch.lines(try await database.open())
            for line in lines { Console.out(line) }
            if hasFindings { throw ExitCode(1) }
        }
    }

    struct Prove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Writes the proof that the record of a receipt is in a signed month: a small file that needs no database.",
            discussion: """
                Examples:
                  dispatcherd ledger prove --receipt 9c1185a5c5e9fc54
                  dispatcherd ledger prove --receipt 9c1185a5c5e9fc54612808977ee8f548b2258d31ef0f2d3c2b1b6f4a1d0e7c55 \\
                    --delegation 14 --out proof.json
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The receipt, as the agency was given it: 64 hexadecimal digits, or its first 16 or more.")
        var receipt: String
        @Option(help: "Look in this delegation only.")
        var delegation: Int16?
        @Option(help: "The file to write; standard output without it.")
        var out: String = "-"

        func run() async throws {
            let text = try LedgerCommands.prove(receipt, delegation: delegation, try await database.open())
            try LedgerCommands.write(text, to: out)
            if out != "-" { Console.note("\(out) is written; `dispatcherd ledger check \(out)` checks it anywhere") }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks a proof without a database.",
            discussion: """
                Without --key it tells which key signed; whether that is the institution's is then for the reader to compare.
                Exit code 1 where the proof does not hold.

                Examples:
                  dispatcherd ledger check proof.json
                  dispatcherd ledger check proof.json --key MmdNmGZV5iF6yBZEyOkrFj72XJQlVEluwUe9Gt1ec+E=
                  dispatcherd ledger check proof.json --statement month/statements/C31.json
                """)
        @Argument(help: "The proof.")
        var file: String
        @Option(help: "The institution's public key, in Base64, as `ledger key list` shows it.")
        var key: String?
        @Option(help: "A statement's JSON file, which the proof has to be of.")
        var statement: String?
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let lines = try LedgerCommands.check(file, key: key, statement: statement, asJSON: json)
            for line in lines { Console.out(line) }
        }
    }

    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Signs the root of a closed month; what is signed stays as it is.",
            discussion: """
                `close` does it by itself where ledger.key-file is set.

                Examples:
                  dispatcherd ledger sign --period 2024-03 --key-file ledger.key
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(name: .customLong("key-file"), help: "The private key; ledger.key-file without it.")
        var keyFile: String?

        func run() async throws {
            let settings = try database.settings([.ledgerKeyFile: keyFile].compactMapValues(\.self))
            Console.done(
                try LedgerCommands.sign(planned.argument.period, settings, try await database.open()))
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "key", abstract: "The keys that months are signed with.",
            discussion: """
                Examples:
                  dispatcherd ledger key new ledger.key
                  dispatcherd ledger key new ledger-2025.key --former ledger.key
                  dispatcherd ledger key list
                """,
            subcommands: [New.self, List.self])

        struct New: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Makes the next key. From then on it signs; the one before it endorses it once.",
                discussion: """
                    Keep the file apart from the database and its backups.

                    Examples:
                      dispatcherd ledger key new ledger.key
                      dispatcherd ledger key new ledger-2025.key --former ledger.key
                      dispatcherd ledger key new ledger-2025.key --former-is-lost
                    """)
            @OptionGroup var database: DatabaseOptions
            @Argument(help: "The file to make; only its owner can read it.")
            var file: String
            @Option(help: "The file of the key in use, which signs who follows it.")
            var former: String?
            @Flag(help: "Go on without the former key; every check will tell.")
            var formerIsLost = false

            func run() async throws {
                for line in try LedgerCommands.newKey(
                    file, former: former, isLost: formerIsLost, try await database.open())
                {
                    Console.done(line)
                }
            }
        }

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "The public keys, in the order of their succession; the last one signs.",
                discussion: """
                    Examples:
                      dispatcherd ledger key list
                      dispatcherd ledger key list --json
                    """)
            @OptionGroup var database: DatabaseOptions
            @Flag(help: "As JSON.")
            var json = false

            func run() async throws {
                for line in try LedgerCommands.keys(try await database.open(), asJSON: json) { Console.out(line) }
            }
        }
    }
}
