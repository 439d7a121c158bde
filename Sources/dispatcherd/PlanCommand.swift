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
        subcommands: [Preview.self, Apply.self, Discard.self, Rebalance.self, Settings.self])

    /// What preview and apply share.
    struct Options: ParsableArguments {
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The seed of the shuffle; without one the month's number.")
        var seed: Int64?
        @Flag(help: "Print the plan as JSON.")
        var json = false

        func run() async throws -> PlanRun {
            PlanRun(try await database.open(), period: planned.argument.period, seed: seed)
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who would get how many of each pool and why not more. Writes nothing.",
            discussion: """
                Examples:
                  dispatcherd plan preview --period 2024-03
                  dispatcherd plan preview --period 2024-03 --seed 7 --json
                """)
        @OptionGroup var options: Options

        func run() async throws {
            let report = try await options.run().preview()
            if options.json { return Console.out(try JSONText.of(report)) }
            for line in report.detail + [""] + report.summary { Console.out(line) }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deals the month: closes the hands of earlier months, writes the new ones and opens them.",
            discussion: """
                A month is dealt once.
                An apply that was stopped is taken back by the next one; until then agencies get 'paused'.
                Accounts that are held stay with their holders and are not dealt again.

                Examples:
                  dispatcherd plan apply --period 2024-03
                  dispatcherd plan apply --period 2024-03 --json
                """)
        @OptionGroup var options: Options

        func run() async throws {
            let report = try await options.run().apply()
            if options.json { return Console.out(try JSONText.of(report)) }
            for line in report.summary { Console.out(line) }
            if report.state == .unchanged, let plan = report.plan {
                Console.out("nothing changed: plan \(plan) is applied already")
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
            Console.out(
                plan.map { "plan \($0) is taken back" } ?? "there is no stopped plan of \(planned.argument.period)")
        }
    }
}
