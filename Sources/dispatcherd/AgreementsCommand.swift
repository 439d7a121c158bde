// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd agreements`: what became of signed agreements and of promises.
struct AgreementsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agreements",
        abstract: "Agreements by the month of their signature, and the promises of a month. Changes nothing.",
        discussion: """
            An agreement is signed, in cure, cured, maintained or broken by the months in which its account was paid; see docs/indicators.md.

            Examples:
              dispatcherd agreements show --period 2024-03
              dispatcherd agreements sessions --period 2024-03
              dispatcherd agreements promises --period 2024-03 --grace-days 2
            """,
        subcommands: [Show.self, Sessions.self, Promises.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Second payment, third payment, cure and maintenance by cohort (IND-13).",
            discussion: """
                Examples:
                  dispatcherd agreements show --period 2024-03 --by agency
                  dispatcherd agreements show --period 2024-03 --csv agreements.csv
                  dispatcherd agreements show --period 2024-03 --bimester signature --cure-payments 4
                """)
        @OptionGroup var list: MonthListOptions
        @Option(
            help: "total, agency, contract, delegation, band, strategy, tactic, vintage or contract-delegation.")
        var by = "total"
        @Option(
            help: """
                Which two months an employer's payment is of (AMB-22): calendar, January with February and so on, or signature, from \
                the month of the signature on.
                """)
        var bimester = AgreementCourse.Bimester.calendar.rawValue
        @Option(help: "How many sustained payments make a cure, 1 to 12 (GAP-cure).")
        var curePayments = AgreementCourse.curePayments

        private var cut: IndicatorCut? { IndicatorCut(rawValue: by) }

        func validate() throws {
            guard cut != nil else {
                let cuts = IndicatorCut.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--by is one of \(cuts).")
            }
            guard AgreementCourse.Bimester(rawValue: bimester) != nil else {
                throw ValidationError("--bimester is calendar or signature.")
            }
            guard (1...12).contains(curePayments) else { throw ValidationError("--cure-payments is 1 to 12.") }
        }

        func run() async throws {
            let report = try AgreementReport(
                try await list.database.open(), through: list.period, by: cut ?? .total,
                bimester: AgreementCourse.Bimester(rawValue: bimester) ?? .calendar, curePayments: curePayments)
            try list.put("agreements", csv: { try report.write(to: $0) }, json: report.json, lines: report.lines)
        }
    }

    struct Sessions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mediation sessions of a month's valid work by contract: scheduled, held, missed, signed.",
            discussion: """
                Examples:
                  dispatcherd agreements sessions --period 2024-03
                """)
        @OptionGroup var month: MonthReportOptions

        func run() async throws {
            let report = try SessionReport(try await month.database.open(), period: month.period)
            month.put(json: report.json, lines: report.lines)
        }
    }

    struct Promises: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The promises of a month's valid work: kept, broken, or not due yet, by date and amount.",
            discussion: """
                Examples:
                  dispatcherd agreements promises --period 2024-03
                  dispatcherd agreements promises --period 2024-03 --grace-days 2 --csv promises.csv
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "Days behind the promised one in which a payment still keeps it.")
        var graceDays = 0
        @Option(help: "Write each promise as CSV into this file; - is standard output.")
        var csv: String?

        func validate() throws {
            guard (0...90).contains(graceDays) else { throw ValidationError("--grace-days is 0 to 90.") }
        }

        func run() async throws {
            let link = try await database.open()
            let report = try PromiseReport(
                link, period: planned.argument.period, graceDays: graceDays, today: try StageCommands.today(link))
            if let csv {
                let count = try report.write(to: csv)
                if csv != "-" { Console.out("\(Console.grouped(count)) promises; written to \(csv)") }
            } else {
                for line in report.lines { Console.out(line) }
            }
        }
    }
}
