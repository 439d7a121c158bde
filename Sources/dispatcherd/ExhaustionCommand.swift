// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd exhaustion`: where social collection ends.
struct ExhaustionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exhaustion",
        abstract: "Lists accounts whose social collection is exhausted, certifies them, and revokes certificates.",
        discussion: """
            See docs/exhaustion.md. `dispatcherd exhaustion --period 2024-03` alone lists.

            Examples:
              dispatcherd exhaustion list --period 2024-03 --csv candidates.csv
              dispatcherd exhaustion validate --period 2024-03 --file candidates.csv --by "Ana Ruiz"
              dispatcherd exhaustion certificate DTCS-2024-03-000001
              dispatcherd exhaustion revoke DTCS-2024-03-000001 --by "Ana Ruiz" --reason "paid 2024-03-20"
            """,
        subcommands: [List.self, Validate.self, Certificate.self, Revoke.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "The accounts that meet every clause; with --all those that miss one clause too. Changes nothing.",
            discussion: """
                Examples:
                  dispatcherd exhaustion list --period 2024-03
                  dispatcherd exhaustion list --period 2024-03 --all --csv candidates.csv
                  dispatcherd exhaustion list --period 2024-03 --policy mine.yaml --json
                """)
        @OptionGroup var options: ClauseReportOptions

        func run() async throws { try await options.run(.exhaustion) }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Certifies accounts in a person's name and takes them out of collection at once: all, or none.",
            discussion: """
                An account that misses a clause is refused (exit 1), and so is one named by --account that has a valid
                certificate; those of a file are skipped and counted. Shows what would be certified and asks; --yes
                answers.

                Examples:
                  dispatcherd exhaustion validate --period 2024-03 --account 1900012345 --by "Ana Ruiz"
                  dispatcherd exhaustion validate --period 2024-03 --file candidates.csv --by "Ana Ruiz" --yes
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The account's number; may be given again.")
        var account: [Int64] = []
        @Option(help: "A CSV file with a column `account`.")
        var file: String?
        @Option(help: "Who validates.")
        var by: String
        @Flag(help: "Do not ask.")
        var yes = false
        @Flag(help: "Print the certificates as JSON.")
        var json = false

        func run() async throws {
            let listed = try file.map { try AccountList.read($0) } ?? []
            let validation = try ExhaustionValidation(
                try await database.open(), period: planned.argument.period, by: by)
            let open = try validation.uncertified(listed)
            let skipped = Set(listed).count - open.count
            if skipped > 0 {
                Console.note("skipped, because certified already: \(Console.grouped(skipped)) of the file")
            }
            let accounts = account + open
            if accounts.isEmpty, skipped > 0 {
                return Console.out(json ? "[]" : "nothing to certify: every account of the file is certified already")
            }
            let preview = try validation.preview(accounts)
            if !json || !yes { for line in preview { Console.note(line) } }
            try Confirmation.require(
                "Social collection of \(Set(accounts).count) accounts ends at once.", isGiven: yes)
            let certificates = try validation.issue(accounts)
            Console.committed("\(Console.grouped(certificates.count)) accounts are certified")
            if json { return Console.out(try JSONText.of(certificates)) }
            for certificate in certificates { Console.out("\(certificate.folio)  account \(certificate.account)") }
            Console.out(
                "\(Console.grouped(certificates.count)) certified; deals ended: "
                    + "\(certificates.first?.dealsEnded ?? 0), of them held: \(certificates.first?.recalled ?? 0)")
        }
    }

    struct Certificate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints one certificate, or lists a month's.",
            discussion: """
                --json prints one certificate byte for byte as it is kept.

                Examples:
                  dispatcherd exhaustion certificate --period 2024-03
                  dispatcherd exhaustion certificate DTCS-2024-03-000001 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The folio.")
        var folio: String?
        @Option(help: "The month, as 2024-03.", transform: PeriodArgument.init(text:))
        var period: PeriodArgument?
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard (folio == nil) != (period == nil) else {
                throw ValidationError("Give either a folio or --period.")
            }
        }

        func run() async throws {
            let book = CertificateBook(try await database.open())
            if let folio {
                if json { return Console.out(String(try book.body(folio).dropLast())) }
                for line in try book.page(folio) { Console.out(line) }
            } else if let period = period?.period {
                if json { return Console.out(try JSONText.of(try book.list(period))) }
                for line in try book.lines(period) { Console.out(line) }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a certificate; the account may be collected again, by a start or the next segmentation.",
            discussion: """
                Examples:
                  dispatcherd exhaustion revoke DTCS-2024-03-000001 --by "Ana Ruiz" --reason "paid 2024-03-20"
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The folio.")
        var folio: String
        @Option(help: "Who revokes.")
        var by: String
        @Option(help: "Why.")
        var reason: String
        @Flag(help: "Print the certificate's state as JSON.")
        var json = false

        func run() async throws {
            let report = try CertificateBook(try await database.open()).revoke(folio, by: by, reason: reason)
            Console.committed("\(report.folio) is revoked")
            if json { return Console.out(try JSONText.of(report)) }
            Console.out(
                "\(report.folio) is revoked; account \(report.account) may be collected again by `import starts` "
                    + "(exclusion-ended) or the next segmentation")
        }
    }
}

/// What the reports of clauses share.
struct ClauseReportOptions: ParsableArguments {
    @OptionGroup var list: MonthListOptions
    @Option(help: "A policy to try; without it the one that placed the month.")
    var policy: String?
    @Flag(help: "Also the accounts that miss exactly one clause.")
    var all = false

    func run(_ subject: ClauseSheet.Subject) async throws {
        let report = try ClauseReport(
            try await list.database.open(), period: list.period, subject: subject, includesNear: all,
            policy: policy)
        try OutputFile.refuse(list.csv, over: [policy].compactMap(\.self))
        try list.put("accounts", csv: report.write(to:), json: report.json(), lines: report.lines())
    }
}

/// `dispatcherd report`: lists that change nothing.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract:
            "Lists that change nothing: segregation, return to balance, what became of starts and of what came back.",
        discussion: """
            Examples:
              dispatcherd report segregation --period 2024-03
              dispatcherd report return-to-balance --period 2024-03 --all --csv returning.csv
              dispatcherd report starts --period 2024-03
              dispatcherd report returns --period 2024-03
            """,
        subcommands: [Segregation.self, ReturnToBalance.self, Starts.self, Returns.self])

    struct Segregation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accounts that could be taken off the balance sheet, clause by clause.",
            discussion: """
                Examples:
                  dispatcherd report segregation --period 2024-03 --csv segregation.csv
                """)
        @OptionGroup var options: ClauseReportOptions

        func run() async throws { try await options.run(.segregation) }
    }

    struct ReturnToBalance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "return-to-balance",
            abstract: "Segregated accounts that could come back to the balance sheet, clause by clause.",
            discussion: """
                Examples:
                  dispatcherd report return-to-balance --period 2024-03 --json
                """)
        @OptionGroup var options: ClauseReportOptions

        func run() async throws { try await options.run(.returnToBalance) }
    }

    struct Starts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What `import starts` did with the accounts that it brought, and how they are now.",
            discussion: """
                Examples:
                  dispatcherd report starts --period 2024-03
                  dispatcherd report starts --period 2024-03 --csv started.csv
                """)
        @OptionGroup var list: MonthListOptions

        func run() async throws {
            let starts = try StartList(try await list.database.open(), period: list.period)
            try list.put("starts", csv: starts.write(to:), json: starts.json(), lines: starts.lines)
        }
    }
}
