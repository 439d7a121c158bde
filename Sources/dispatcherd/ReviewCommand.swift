// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd review`: the delegations' approval or rejection of outcomes.
struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "Shows what waits for a delegation's review, and takes decisions in.",
        discussion: """
            Examples:
              dispatcherd review list --period 2024-03
              dispatcherd review list --period 2024-03 --pending --csv pending.csv
              dispatcherd review import reviews.csv
            """,
        subcommands: [List.self, Check.self, Import.self, Approve.self, Reject.self, Contest.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How far each delegation is; with --pending, the outcomes that wait.",
            discussion: """
                Examples:
                  dispatcherd review list --period 2024-03
                  dispatcherd review list --period 2024-03 --pending
                  dispatcherd review list --period 2024-03 --pending --csv pending.csv
                  dispatcherd review list --period 2024-03 --unlocatable
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Flag(help: "The outcomes that wait for a decision.")
        var pending = false
        @Flag(
            help:
                "Outcomes that say of what was given back that its debtor cannot be found; approved, it counts as assigned no more."
        )
        var unlocatable = false
        @Option(help: "Write it all as CSV into this file; - is standard output.")
        var csv: String?
        @Flag(help: "Per delegation, as JSON.")
        var json = false

        func validate() throws {
            if csv != nil, json { throw ValidationError("Give either --csv or --json.") }
            if pending, unlocatable { throw ValidationError("Give either --pending or --unlocatable.") }
            if json, pending || unlocatable {
                throw ValidationError("--json gives figures per delegation; --pending and --unlocatable go with --csv.")
            }
        }

        func run() async throws {
            let list = ReviewList(
                try await database.open(), period: planned.argument.period, unlocatable: unlocatable)
            let isOfOutcomes = pending || unlocatable
            if let csv {
                let count = isOfOutcomes ? try list.writePending(to: csv) : try list.writeProgress(to: csv)
                if csv != "-" {
                    let what = pending ? "outcomes wait" : unlocatable ? "outcomes" : "delegations"
                    let found = "\(Console.grouped(count)) \(what)"
                    Console.out("\(found); written to \(csv)")
                }
            } else if isOfOutcomes {
                for line in try list.pendingLines() { Console.out(line) }
            } else if json {
                Console.out(String(try list.progressJSON().text.dropLast()))
            } else {
                for line in try list.progressLines() { Console.out(line) }
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Validates the outcomes that need no review: automatic checks, and a seeded sample.",
            discussion: """
                What fails a check counts for nothing until its delegation approves it; what the sample draws counts unless it is \
                rejected. Both wait in `review list --pending`. Run it again for what was reported meanwhile; the sample is set once a month. \
                A month is not closed before it ran; where that is after the month's time for reviews, they have as many days again.

                Examples:
                  dispatcherd review check --period 2024-03 --sample 2 --seed 7 --by "Ana Ruiz"
                  dispatcherd review check --period 2024-03 --by "Ana Ruiz" --csv found.csv
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "How many of the others delegations look at, in percent; 1 where none was set. 0: none.")
        var sample: String?
        @Option(parsing: .unconditional, help: "The sample's seed; the month's number where none was set.")
        var seed: Int64?
        @Option(help: "Who runs it; the month's sample keeps the name of who ran it first.")
        var by: String
        @Option(help: "Write all that was found as CSV into this file.")
        var csv: String?
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let settings = try database.settings()
            let checks = ReviewChecks(
                try await database.open(), period: planned.argument.period, deadlineDays: settings.reviewDeadlineDays)
            let report = try checks.run(rate: sample, seed: seed, by: by)
            Console.committed("the checks of \(planned.argument.period) are run")
            if let csv { Console.note("\(Console.grouped(try checks.write(to: csv))) outcomes in \(csv)") }
            if json { return Console.out(report.json) }
            for line in report.lines { Console.out(line) }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a file of decisions in: outcome,delegation,decision,reason,reviewer.",
            discussion: """
                Examples:
                  dispatcherd review import reviews.csv
                  dispatcherd formats reviews
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The CSV file.")
        var file: String
        @Flag(help: "Take the good rows of a file that has bad ones.")
        var acceptGood = false
        @Option(help: "Where bad rows are listed; beside the file without it.")
        var badRows: String?
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let settings = try database.settings()
            var reviews = try ReviewImport(file, acceptsGood: acceptGood, badRowsPath: badRows)
            reviews.deadlineDays = settings.reviewDeadlineDays
            let report = try reviews.run(on: try await database.open())
            if report.failure == nil { Console.committed("the reviews are imported") }
            report.print(asJSON: json)
            if let failure = report.failure { throw failure }
        }
    }

    struct Decision: ParsableArguments {
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The outcome's number; may be given again.")
        var outcome: [Int64]
        @Option(help: "Why, as a code.")
        var reason: String
        @Option(
            name: [.customLong("by"), .customLong("reviewer")],
            help: "Who decided, by name. (--reviewer is the same, as the file's column is called.)")
        var reviewer: String
        @Flag(help: "As JSON.")
        var json = false

        func run(_ decision: ReviewDecision) async throws {
            let settings = try database.settings()
            var decisions = ReviewDecisions(decision, outcomes: outcome, reason: reason, reviewer: reviewer)
            decisions.deadlineDays = settings.reviewDeadlineDays
            let report = try decisions.run(on: try await database.open())
            Console.committed("the reviews are decided")
            report.print(asJSON: json)
        }
    }

    struct Contest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Records an agency's contest of a rejection: once, in its time. The delegation then decides again.",
            discussion: """
                Examples:
                  dispatcherd review contest --outcome 55120 --reason "the photo is attached now" --by ACE07
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The outcome's number.")
        var outcome: Int64
        @Option(help: "What the delegation overlooked.")
        var reason: String
        @Option(help: "The agency whose outcome it is.")
        var by: String

        func run() async throws {
            let settings = try database.settings()
            try ReviewContest(outcome: outcome, reason: reason, by: by, days: settings.reviewContestDays)
                .run(on: try await database.open())
            Console.done("outcome \(outcome) is contested and waits for its second decision")
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approves outcomes.",
            discussion: """
                Examples:
                  dispatcherd review approve --outcome 55120 --reason evidence-complete --by "Ana Ruiz"
                """)
        @OptionGroup var decision: Decision
        func run() async throws { try await decision.run(.approved) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rejects outcomes.",
            discussion: """
                Examples:
                  dispatcherd review reject --outcome 55120 --reason no-photo --by "Ana Ruiz"
                """)
        @OptionGroup var decision: Decision
        func run() async throws { try await decision.run(.rejected) }
    }
}

extension ReviewReport {
    fileprivate func print(asJSON: Bool) {
        if asJSON {
            Console.out(String(json.text.dropLast()))
        } else {
            for line in lines { Console.out(line) }
        }
    }
}
