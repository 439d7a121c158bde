// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd plan`: from the placements to the hands.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Shares a month's placements between contracts, and deals them.",
        discussion: """
            See docs/allocation.md.

            Examples:
              dispatcherd plan preview --period 2024-03
              dispatcherd plan apply --period 2024-03
            """,
        subcommands: [
            Preview.self, Apply.self, Discard.self, PlanCheckCommand.self, PlanExplainCommand.self,
            PlanWhatIfCommand.self, PlanCompareCommand.self, Rebalance.self, Unpulled.self, PlanSettingsCommand.self,
        ])

    /// What preview and apply share.
    struct Options: ParsableArguments {
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(parsing: .unconditional, help: "The seed of the shuffle; without one the month's number.")
        var seed: Int64?
        @Flag(help: "Print the plan as JSON.")
        var json = false

        func run(
            _ settings: PlanSettingsFile? = nil, dealsNothing: Bool = false, expected: PlanDigest? = nil
        ) async throws -> PlanRun {
            PlanRun(
                try await database.open(), period: planned.argument.period, seed: seed, settings: settings,
                dealsNothing: dealsNothing, expected: expected)
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who would get how many of each pool and why not more. Writes nothing.",
            discussion: """
                Quotas first, pool by pool, then every contract's advisers with PEN-01, then the bonds; at the end totals,
                what more advisers or bond would place, and warnings. Up to 500,000 accounts are dealt in memory, to
                tell what would find nobody.

                Examples:
                  dispatcherd plan preview --period 2024-03
                  dispatcherd plan preview --period 2024-03 --seed 7 --json
                  dispatcherd plan preview --period 2024-03 --settings mine.yaml
                """)
        @OptionGroup var options: Options
        @Option(help: "Plan settings to try, a YAML file, in the place of those in force.")
        var settings: String?
        @Flag(help: "Deal in memory however many accounts wait.")
        var deal = false

        func run() async throws {
            let tried = try settings.map { try PlanSettingsFile(path: $0) }
            let report = try await options.run(tried).preview(deals: deal ? true : nil)
            if options.json { return Console.out(try JSONText.of(report)) }
            for line in report.detail + [""] + report.summary { Console.out(line) }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deals the month: closes the hands of earlier months, writes the new ones and opens them.",
            discussion: """
                A month is dealt once. Who applied it, when, and its digest are kept; where the plan settings ask for two
                persons the first apply only notes the wish, and the second, by another name, deals.
                An apply that was stopped is taken back by the next one; until then agencies get 'paused'.
                Accounts that are held stay with their holders and are not dealt again.
                Where no contract takes any account (the month's contracts may not be imported), it is refused.
                The same apply again changes nothing and shows the plan in force, from its own record.
                With --digest only the plan that a preview showed is applied; where accounts, contracts, settings or
                placements have changed since, nothing is.

                Examples:
                  dispatcherd plan apply --period 2024-03 --by ana
                  dispatcherd plan apply --period 2024-03 --by ana --digest b447dacd35e21a54
                  dispatcherd plan apply --period 2024-03 --json
                """)
        @OptionGroup var options: Options
        @Option(help: "Who applies; kept with the plan and in the ledger.")
        var by: String = "operator"
        @Option(help: "The digest of the plan that is meant, as preview shows it; its first 8 digits are enough.")
        var digest: String?
        @Flag(help: "Apply also a plan that deals nothing, because no contract takes any account.")
        var dealNothing = false

        func run() async throws {
            let expected = try digest.map { text throws(CommandFailure) in try PlanDigest(text: text) }
            let report = try await options.run(dealsNothing: dealNothing, expected: expected).apply(by: by)
            if report.state == .applied, let plan = report.plan {
                Console.committed("plan \(plan) of \(report.period) is applied")
            }
            if report.state == .awaiting { Console.committed("the plan waits for its second person") }
            if options.json { return Console.out(try JSONText.of(report)) }
            for line in report.summary { Console.out(line) }
            if report.state == .unchanged, let plan = report.plan {
                let who = report.persons.isEmpty ? "" : " by \(report.persons.joined(separator: ", "))"
                let when = report.appliedAt.map { " at \($0)" } ?? ""
                Console.out("nothing changed: these are the figures of plan \(plan), applied\(who)\(when)")
            } else if report.state == .awaiting {
                Console.out(
                    "nothing is dealt yet: \(report.persons.joined(separator: ", ")) wants this plan, and the settings ask for "
                        + "two persons; another one applies it with --by NAME")
            } else if let plan = report.plan {
                Console.out("plan \(plan) of \(report.period) is applied")
            }
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes back a plan whose apply was stopped, so that the month can be segmented again.",
            discussion: """
                Examples:
                  dispatcherd plan discard --period 2024-03
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod

        func run() async throws {
            let plan = try PlanRun(try await database.open(), period: planned.argument.period).discard()
            Console.done(
                plan.map { "plan \($0) is taken back" } ?? "there is no stopped plan of \(planned.argument.period)")
        }
    }
}
