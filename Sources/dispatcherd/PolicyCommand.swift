// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd policy`: policy files by themselves.
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Checks policy files, and tries them on a month's real portfolio.",
        discussion: """
            None of these commands writes anything; dispatcherd segment --policy FILE puts a policy in force. \
            They run beside imports and a serving daemon, and on closed months. \
            See docs/policy.md.

            Examples:
              dispatcherd policy check mine.yaml
              dispatcherd policy diff applied mine.yaml --period 2024-03
              dispatcherd policy what-if mine.yaml --period 2024-03
              dispatcherd policy explain --account 1900012345 --period 2024-03
              dispatcherd policy offers --period 2024-03 --csv offers.csv
            """,
        subcommands: [
            Check.self, Explain.self, Diff.self, WhatIf.self, Offers.self, Runs.self, Show.self, Schema.self,
        ])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a policy file and lists every fault and warning with its line and column.",
            discussion: """
                A fault keeps the policy from being used: exit code 1. A warning is something that is probably not meant, \
                such as a rule that no account can reach; exit code 0, or 1 with --strict.

                Where a database is at hand, its closed months are asked too: rules that begin within them change nothing there. \
                The last lines say whether they were; with --closed, and where a database is named here, it is an error (3) \
                that they cannot be.

                Examples:
                  dispatcherd policy check policies/infonavit-2023.yaml
                  dispatcherd policy check mine.yaml --strict
                  dispatcherd policy check mine.yaml --closed --json
                  dispatcherd policy check mine.yaml --no-closed
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The policy file.")
        var file: String
        @Flag(help: "Exit with 1 for warnings too.")
        var strict = false
        @Flag(
            inversion: .prefixedNo,
            help:
                "Compare with the closed months of the database: their placements stay as they are (default: if there is one)."
        )
        var closed: Bool?
        @Flag(help: "Print faults and warnings as JSON.")
        var json = false

        func run() async throws {
            var check = try PolicyCheck(path: file)
            if check.faults.isEmpty { try askClosed(&check) }
            if json {
                Console.out(try JSONText.of(check))
            } else {
                for line in check.lines { Console.out(line) }
            }
            if !check.faults.isEmpty || strict && !check.warnings.isEmpty {
                throw ExitCode(CommandFailure.Exit.findings.rawValue)
            }
        }

        private func askClosed(_ check: inout PolicyCheck) throws {
            if closed == false { return check.leaveClosed(because: "--no-closed") }
            let isDemanded = closed == true || database.options.database != nil || database.options.dataDir != nil
            do {
                let settings = try database.settings()
                guard try isDemanded || Database.isAtHand(settings) else {
                    return check.leaveClosed(because: "there is no database here; --data-dir or --database names one")
                }
                try check.compareWithClosed(Database.open(settings, application: "dispatcherd", founds: false))
            } catch {
                guard !isDemanded else { throw error }
                let failure = error as? CommandFailure ?? Database.failure(error)
                check.leaveClosed(because: failure?.found ?? "the database failed")
            }
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows every rule in its order with what one account says to it, and the decision.",
            discussion: """
                Without a file it asks the policy that placed the month, byte for byte as it was then. \
                FILE@VERSION names one version of a file; without it the one in force on the month's first day counts.

                Examples:
                  dispatcherd policy explain --account 1900012345 --period 2024-03
                  dispatcherd policy explain mine.yaml --account 1900012345 --period 2024-03 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Argument(help: "The policy file; without one the policy that placed the month.")
        var file = PolicyChoice.appliedWord
        @Option(help: "The account's number.")
        var account: String
        @Flag(help: "Print the explanation as JSON.")
        var json = false

        func run() async throws {
            guard let account = AccountID(text: account) else {
                throw CommandFailure(
                    .usage, "'\(account)' is no account number", remedy: "Write plain digits, ten at most")
            }
            let wish = try PolicyChoice.Wish(file)
            let explain = PolicyExplain(try await database.open(), period: planned.argument.period, policy: wish)
            let report = try explain.run(account)
            if json { return Console.out(try JSONText.of(report)) }
            for line in report.lines { Console.out(line) }
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows which accounts another policy would move, from which rule to which.",
            discussion: """
                OLD and NEW are files, FILE@VERSION, or 'applied': the policy that placed the month. \
                Both run over the cut as it is now, so that every move comes from the policies alone.
                A cell's words are a rule (dual.rest, exclusion.lawsuit, none), all rules of one kind (dual, \
                exclusion, placed), or any.

                Examples:
                  dispatcherd policy diff applied mine.yaml --period 2024-03
                  dispatcherd policy diff old.yaml new.yaml --period 2024-03 --by-delegation
                  dispatcherd policy diff applied mine.yaml --period 2024-03 --cell administrative preventive --limit 5
                  dispatcherd policy diff applied mine.yaml --period 2024-03 --csv moves.csv
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Argument(help: "The policy as it was, or 'applied'.")
        var old: String
        @Argument(help: "The policy as it would be.")
        var new: String
        @Flag(help: "Show the moves of each delegation too.")
        var byDelegation = false
        @Option(
            parsing: .upToNextOption, help: ArgumentHelp("Show the accounts of this move.", valueName: "from> <to"))
        var cell: [String] = []
        @Option(help: "How many accounts of the cell are shown, 1000 at most.")
        var limit = 20
        @Option(help: "A file for all accounts of the cell, or all that move; - is standard output.")
        var csv: String?
        @Flag(help: "Print the moves as JSON.")
        var json = false

        func validate() throws {
            guard cell.isEmpty || cell.count == 2 else {
                throw ValidationError("--cell takes two words, from and to, as in --cell dual.rest administrative.rest")
            }
            guard (0...1000).contains(limit) else { throw ValidationError("--limit takes 0 to 1000") }
        }

        func run() async throws {
            // FILE@VERSION names a file too.
            try OutputFile.refuse(csv, over: [old, new].map { $0.split(separator: "@").first.map(String.init) ?? $0 })
            let wishes = [try PolicyChoice.Wish(old), try PolicyChoice.Wish(new)]
            var asked = PolicyDiff.Asked()
            asked.byDelegation = byDelegation
            asked.cell = cell.isEmpty ? nil : MoveCell(from: cell[0], to: cell[1])
            asked.limit = limit
            asked.csv = csv
            let link = try await database.open()
            let report = try PolicyDiff(link, period: planned.argument.period, old: wishes[0], new: wishes[1])
                .run(asked)
            if csv == "-" { return }
            if json { return Console.out(try JSONText.of(report)) }
            for line in report.lines { Console.out(line) }
        }
    }

    struct WhatIf: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "what-if",
            abstract: "Shows what a month would look like under a policy. Writes nothing.",
            discussion: """
                Counts and money beside those in force, what the published national averages give for them (no \
                forecast; only for strategies of the institution that published them), advisers needed and committed, and \
                what no contract could take.
                'dispatcherd segment --policy FILE' then puts it in force.

                Examples:
                  dispatcherd policy what-if mine.yaml --period 2024-03
                  dispatcherd policy what-if mine.yaml --period 2024-03 --by-delegation
                  dispatcherd policy what-if policies/infonavit-2023.yaml@2023-05 --period 2024-03 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Argument(help: "The policy file.")
        var file: String
        @Flag(help: "Show the figures of each delegation too.")
        var byDelegation = false
        @Flag(help: "Print the figures as JSON.")
        var json = false

        func run() async throws {
            let wish = try PolicyChoice.Wish(file)
            let report = try PolicyWhatIf(try await database.open(), period: planned.argument.period, policy: wish)
                .run(byDelegation: byDelegation)
            if json { return Console.out(try JSONText.of(report)) }
            for line in report.lines { Console.out(line) }
        }
    }

    struct Offers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists which accounts may be offered which solution, and by which clause.",
            discussion: """
                What was recorded when the month was segmented, or when an account started within it, by the policy that placed it. \
                A contract is the one that holds the account, or in whose hand it waits. The file has a line for each account \
                and solution.

                Examples:
                  dispatcherd policy offers --period 2024-03
                  dispatcherd policy offers --period 2024-03 --solution fresh-start --delegation 14 --csv offers.csv
                  dispatcherd policy offers --period 2024-03 --contract 31 --limit 1000 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "Only this solution, by its name in the policy.")
        var solution: String?
        @Option(help: "Only this delegation, 1 to 32.")
        var delegation: Int16?
        @Option(help: "Only what this contract has, by its number of the contracts file.")
        var contract: Int32?
        @Option(help: "How many offers are shown, 1000 at most.")
        var limit = 20
        @Option(help: "A file for all of them; - is standard output.")
        var csv: String?
        @Flag(help: "Print counts and offers as JSON.")
        var json = false

        func validate() throws {
            guard (0...1000).contains(limit) else { throw ValidationError("--limit takes 0 to 1000") }
        }

        func run() async throws {
            var asked = PolicyOffers.Asked()
            asked.solution = solution
            asked.delegation = delegation
            asked.contract = contract
            asked.limit = limit
            let report = try PolicyOffers(
                try await database.open(), period: planned.argument.period, asked: asked, csv: csv)
            if csv == "-" { return }
            if json { return Console.out(try JSONText.of(report)) }
            for line in report.lines { Console.out(line) }
        }
    }

    struct Runs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists which policies placed accounts, when, with digests and counts.",
            discussion: """
                One line for each run of 'dispatcherd segment' that changed placements; * marks those that stand. The same \
                policy and cut give the same digest of placements. --json has the digests in full.

                Examples:
                  dispatcherd policy runs
                  dispatcherd policy runs --period 2024-03 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "One month, as 2024-03; all of them without it.", transform: PeriodArgument.init(text:))
        var period: PeriodArgument?
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let runs = try PolicyRuns(try await database.open(), period: period?.period)
            if json { return Console.out(try JSONText.of(runs)) }
            for line in runs.lines { Console.out(line) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the file of the policy that placed a month, byte for byte as it was then.",
            discussion: """
                Examples:
                  dispatcherd policy show --period 2024-03
                  dispatcherd policy show --period 2024-03 > then.yaml
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod

        func run() async throws {
            let text = try PolicyRuns.text(try await database.open(), period: planned.argument.period)
            Console.out(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        }
    }

    struct Schema: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the JSON Schema of policy files, for editors.",
            discussion: """
                The first line of a policy tells an editor where it is: # yaml-language-server: $schema=policy.schema.json

                Examples:
                  dispatcherd policy schema > policies/policy.schema.json
                """)

        func run() async throws { Console.out(String(PolicySchema.text.dropLast())) }
    }
}
