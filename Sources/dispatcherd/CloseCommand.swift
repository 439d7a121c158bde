// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd close`: a month's statements.
struct CloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Computes fees and penalties of a month and closes it.",
        discussion: """
            A closed month takes no more imports, reviews or reports.
            Closing it again compares: the same facts give the same bytes, and a difference is exit code 1 with the \
            contracts.
            A month that still runs by the database's clock is not closed without --before-its-end.
            See docs/closing.md.

            Examples:
              dispatcherd close --period 2024-03 --preview
              dispatcherd close --period 2024-03 --out month
            """)

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Flag(help: "Compute and show; write nothing to the database.")
    var preview = false
    @Flag(
        help: "Close although the month has not ended by the database's clock; what is left of it then counts nowhere.")
    var beforeItsEnd = false
    @Flag(help: "Give a month back that a killed close left 'closing': it takes imports and reviews again.")
    var giveBack = false
    @Option(help: "Write the statements, tables and the month's page into this folder.")
    var out: String?
    @Flag(help: "Print the month as JSON.")
    var json = false

    func validate() throws {
        if giveBack, preview || beforeItsEnd || out != nil || json {
            throw ValidationError("--give-back closes nothing; it stands alone.")
        }
    }

    func run() async throws {
        let link = try await database.open()
        let period = planned.argument.period
        if giveBack {
            try MonthClosing(link, period: period).giveBack()
            return Console.out("\(period) is open again")
        }
        let closing = MonthClosing(link, period: period) { Console.note("closing: \($0)") }
        var closed: (month: ClosedMonth, result: MonthClosing.Result)?
        if preview {
            if let unfinished = try closing.unfinished() { Console.note("note: \(unfinished)") }
        } else {
            try out.map(StatementFiles.init)?.probe()
            closed = try closing.close(beforeItsEnd: beforeItsEnd)
        }
        let month = try closed?.month ?? closing.preview()
        let files = try out.map { try StatementFiles($0).write(month) }
        if json {
            for warning in month.summary.warnings { Console.note("warning: \(warning)") }
            Console.out(String(month.summary.json.text.dropLast()))
        } else if closed?.result == .identical {
            Console.out("\(period) was closed already; its statements are identical")
        } else {
            for line in MonthPage(month.summary).lines { Console.out(line) }
        }
        if let files, let out { Console.note("\(files) files in \(out); start with \(out)/index.html") }
    }
}

/// `dispatcherd statement`: what was closed.
struct StatementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement", abstract: "Statements of closed months.",
        discussion: """
            Examples:
              dispatcherd statement export --period 2024-03 --out month
            """,
        subcommands: [Export.self])

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Writes the statements of a closed month as JSON, CSV and pages, byte for byte as they were closed.",
            discussion: """
                Examples:
                  dispatcherd statement export --period 2024-03 --out month
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The folder to write into.")
        var out: String

        func run() async throws {
            let statements = try MonthClosing(try await database.open(), period: planned.argument.period).kept()
            let count = try StatementFiles(out).write(statements: statements)
            Console.out("\(count) files in \(out)/statements")
        }
    }
}
