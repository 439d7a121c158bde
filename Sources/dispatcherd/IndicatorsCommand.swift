// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd indicators`: how a month went, by agency, contract, delegation and more.
struct IndicatorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "indicators",
        abstract: "A month's indicators with what each is divided from. Changes nothing.",
        discussion: """
            See docs/indicators.md for formulas and sources.

            Examples:
              dispatcherd indicators show --period 2024-03 --by agency
              dispatcherd indicators export --period 2024-03 --out .
            """,
        subcommands: [Show.self, Export.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The indicators by one cut.",
            discussion: """
                Examples:
                  dispatcherd indicators show --period 2024-03
                  dispatcherd indicators show --period 2024-03 --by band
                  dispatcherd indicators show --period 2024-03 --by contract --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(
            help: """
                total, agency, contract, delegation, band, strategy, tactic, vintage (month of the first deal) or contract-delegation.
                """)
        var by = "total"
        @Flag(help: "As JSON, with numerators and denominators.")
        var json = false

        private var cut: IndicatorCut? { IndicatorCut(rawValue: by) }

        func validate() throws {
            guard cut != nil else {
                let words = IndicatorCut.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--by is one of \(words).")
            }
        }

        func run() async throws {
            let report = IndicatorReport(try await database.open(), period: planned.argument.period)
            if json { return Console.out(try report.json(by: cut ?? .total)) }
            for line in try report.lines(by: cut ?? .total) { Console.out(line) }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Writes indicators.csv, by every cut, and what is behind: accounts.csv, and agreements.csv of IND-13.",
            discussion: """
                Examples:
                  dispatcherd indicators export --period 2024-03 --out month
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The folder to write into; it has to be there.")
        var out: String

        func run() async throws {
            let count = try IndicatorReport(try await database.open(), period: planned.argument.period).export(to: out)
            Console.out(
                "\(Console.grouped(count.accounts)) accounts in \(out)/accounts.csv, \(Console.grouped(count.agreements)) agreements "
                    + "in \(out)/agreements.csv, their figures in \(out)/indicators.csv")
        }
    }
}
