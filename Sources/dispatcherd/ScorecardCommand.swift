// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd scorecard`: how contracts did against each other, delegation by delegation.
struct ScorecardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scorecard",
        abstract: "A month's scorecards per contract and delegation. Changes nothing.",
        discussion: """
            The close keeps them, and plans whose shares go by scorecard take those of the latest closed month. Weights are
            data: `dispatcherd import weights FILE --period 2024-03`. See docs/indicators.md.

            Examples:
              dispatcherd scorecard show --period 2024-03 --delegation 14
              dispatcherd scorecard export --period 2024-03 --out scorecard.csv
              dispatcherd scorecard weights --period 2024-03
              dispatcherd scorecard conduct --period 2024-03
            """,
        subcommands: [Show.self, Export.self, Weights.self, Conduct.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Points, trend against the month before, and each measure relative to the delegation's best.",
            discussion: """
                Examples:
                  dispatcherd scorecard show --period 2024-03
                  dispatcherd scorecard show --period 2024-03 --contract 1003
                """)
        @OptionGroup var month: MonthReportOptions
        @Option(help: "Only this delegation, 1 to 32; not with --json, which has all rows.")
        var delegation: Int16?
        @Option(help: "Only this contract, with each figure; not with --json, which has all rows.")
        var contract: Int32?

        func run() async throws {
            let link = try await month.database.open()
            try ScorecardReport.requireKnown(contract: contract, delegation: delegation, link)
            let report = try ScorecardReport(link, period: month.period)
            month.put(json: report.json, lines: report.lines(delegation: delegation, contract: contract))
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A row per contract, delegation and measure as CSV.",
            discussion: """
                Examples:
                  dispatcherd scorecard export --period 2024-03 --out scorecard.csv
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The file to write.")
        var out: String

        func run() async throws {
            let report = try ScorecardReport(try await database.open(), period: planned.argument.period)
            Console.out("\(Console.grouped(try report.write(to: out))) rows in \(out)")
        }
    }

    struct Weights: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The weights in force for a month.",
            discussion: """
                Examples:
                  dispatcherd scorecard weights --period 2024-03
                  dispatcherd import weights policies/scorecard-weights.csv --period 2024-03
                """)
        @OptionGroup var month: MonthReportOptions

        func run() async throws {
            let weights = try ScorecardWeightsInForce(try await month.database.open(), period: month.period)
            month.put(json: weights.json, lines: weights.lines)
        }
    }

    struct Conduct: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Complaints, rejections and broken contact rules per agency, with the points of every criterion.",
            discussion: """
                Examples:
                  dispatcherd scorecard conduct --period 2024-03
                """)
        @OptionGroup var month: MonthReportOptions

        func run() async throws {
            let report = try ScorecardReport(try await month.database.open(), period: month.period)
            month.put(json: report.conductJSON, lines: report.conductLines)
        }
    }
}
