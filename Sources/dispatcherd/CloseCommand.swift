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
            A month that still runs by the database's clock is not closed without --before-its-end, one whose reviews still count not \
            without --before-reviews, and one with an open month before it not without --before-earlier. One whose outcomes nobody ever checked \
            (`dispatcherd review check`) is neither proposed nor closed.
            Two persons close a month: one proposes, the other closes (closing.two-persons) those statements and no others: what \
            changed since is told, and has to be proposed again. Objections and adjustments are decided before. --propose lists what \
            stands in the close's way, each with the command that mends it.
            Where ledger.key-file is set, the root of the closed month's ledger is signed.
            See docs/closing.md.

            Examples:
              dispatcherd close --period 2024-03 --preview
              dispatcherd close --period 2024-03 --propose --by "Ana Ruiz"
              dispatcherd close --period 2024-03 --by "Luis Soto" --out month
            """)

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Flag(
        help:
            "Compute and show, and tell what changed since the close was proposed or since the latest preview; the month stays as it is."
    )
    var preview = false
    @Flag(
        help: "Close although the month has not ended by the database's clock; what is left of it then counts nowhere.")
    var beforeItsEnd = false
    @Flag(
        help:
            "Close although its reviews still count and rejections may be contested; what waits then is never billed. --before-its-end means this, too."
    )
    var beforeReviews = false
    @Flag(help: "Close although earlier months are open; their breaches and fees then never count in this one.")
    var beforeEarlier = false
    @Flag(help: "Close although nothing was ever placed, dealt, reported or paid in the month.")
    var evenIfEmpty = false
    @Flag(help: "Give a month back that a killed close left 'closing': it takes imports and reviews again.")
    var giveBack = false
    @Flag(help: "Only say that the month is to be closed with its statements as they are; another person closes it.")
    var propose = false
    @Option(help: "Who proposes or closes.")
    var by: String?
    @Option(help: "Write the statements, tables and the month's page into this folder.")
    var out: String?
    @Flag(help: "Print the month as JSON.")
    var json = false

    func validate() throws {
        if giveBack,
            preview || beforeItsEnd || beforeReviews || beforeEarlier || evenIfEmpty || propose || out != nil || json
        {
            throw ValidationError("--give-back closes nothing; it stands alone.")
        }
        if propose, preview || out != nil || json {
            throw ValidationError(
                "--propose writes down that the month is to be closed; \(preview ? "--preview only looks" : "it leaves no files and no JSON")."
                    + " Give one of them.")
        }
    }

    func run() async throws {
        let settings = try database.settings()
        let link = try await database.open()
        let period = planned.argument.period
        if giveBack {
            try MonthClosing(link, period: period).giveBack()
            return Console.done("\(period) is open again")
        }
        let closing = MonthClosing(link, period: period) { Console.note("closing: \($0)") }
        let stages = StageCommands(link, settings)
        if propose {
            let former = try stages.proposeClose(period, by: by ?? "")
            Console.done(
                "the close of \(period) is proposed with its statements as they are now; another person runs it without --propose"
                    + (former.map { ". It takes the place of \($0)" } ?? "")
            )
            for note in CloseObstacles(link, period: period, settings).notes() { Console.note(note) }
            return
        }
        var closed: (month: ClosedMonth, result: MonthClosing.Result)?
        if preview {
            for note in [try closing.unfinished(), try closing.openBefore(), try closing.unjudged()].compactMap(\.self)
            {
                Console.note("note: \(note)")
            }
        } else {
            try stages.requireClosable(period, by: by, beforeReviews: beforeReviews || beforeItsEnd)
            try out.map { StatementFiles($0) }?.probe()
            try LedgerCommands.requireUsableKey(period, settings, link)
            closed = try closing.close(
                beforeItsEnd: beforeItsEnd, evenIfEmpty: evenIfEmpty, beforeEarlier: beforeEarlier,
                check: { try stages.requireStillClosable($0, by: by) })
            Console.committed("\(period) is closed")
            Console.note(try LedgerCommands.signIfPossible(period, settings, link))
        }
        let month = try closed?.month ?? closing.preview()
        if preview { for line in try PreviewDifference(link, month).lines { Console.note(line) } }
        let stage = closed == nil ? PageStage.preview(try StageCommands.today(link)) : .closed
        let files = try out.map { try StatementFiles($0).write(month, as: stage) }
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
              dispatcherd statement list --period 2024-03
              dispatcherd statement export --period 2024-03 --out month
              dispatcherd statement explain --period 2024-03 --delegation 14 --amount 71604.93
            """,
        subcommands: [Issue.self, List.self, Export.self, Explain.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "The statements of a month, one line each: those of its close, or the pre-statements that are out.",
            discussion: """
                The digest is the SHA-256 of the statement's JSON file, as the ledger has it; all of it with --json.

                Examples:
                  dispatcherd statement list --period 2024-03
                  dispatcherd statement list --period 2024-03 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let list = try StatementList(try await database.open(), period: planned.argument.period)
            Console.out(try list.text(asJSON: json))
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts out the pre-statements of a month that has ended; agencies may object to them.",
            discussion: """
                Issued again they take the place of those that were out. The time to object begins anew for those that are new or changed; \
                what is the same, byte for byte, stays as it was.

                Examples:
                  dispatcherd statement issue --period 2024-03 --by "Ana Ruiz" --out pre
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "Who puts them out.")
        var by: String
        @Option(help: "Write their files into this folder, too.")
        var out: String?

        func run() async throws {
            let settings = try database.settings()
            let link = try await database.open()
            let period = planned.argument.period
            let stages = StageCommands(link, settings)
            let issued = try stages.issue(period, by: by)
            if let out { try stages.write(preStatementsOf: period, into: out) }
            Console.done(
                "\(issued.statements) pre-statements of \(period) are out, \(issued.changed) of them new or changed; agencies may "
                    + "object until \(issued.until)")
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "From a figure of a closed month down to clause, arithmetic, facts and outcomes.",
            discussion: """
                The amount is a line's, with or without IVA, all lines' of a rule, what a rule or service charges, or a total: of a \
                delegation's section, else of a statement, else of all of them; with the minus of what pages take off, or without. \
                What is not named is not narrowed down.

                Examples:
                  dispatcherd statement explain --period 2024-03 --delegation 14 --amount 71604.93
                  dispatcherd statement explain --period 2024-03 --contract 12 --rule PEN-02
                  dispatcherd statement explain --period 2024-03 --pre --contract 12 --rule PEN-02
                  dispatcherd statement explain --period 2024-03 --contract 12 --delegation 14 --rule FEE-11 --records 100 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The contract's number.")
        var contract: Int32?
        @Option(help: "The delegation, 1 to 32.")
        var delegation: Int16?
        @Option(help: "The rule, such as PEN-02, FEE-11 or IVA, or one line of it, such as PEN-01:telephone.")
        var rule: String?
        @Option(parsing: .unconditional, help: "A figure, in pesos.")
        var amount: String?
        @Option(help: "Outcomes that are listed per line, at most.")
        var records = 20
        @Option(help: "Lines that are listed, at most.")
        var lines = 200
        @Flag(help: "Of the pre-statements that are out, before the month is closed.")
        var pre = false
        @Flag(help: "As JSON.")
        var json = false

        func validate() throws {
            guard (1...1_000_000).contains(lines) else { throw ValidationError("--lines is 1 to 1000000.") }
            guard amount == nil || pesos != nil else {
                throw ValidationError("--amount is pesos with at most two decimals, such as 71604.93.")
            }
            guard (0...1_000_000).contains(records) else { throw ValidationError("--records is 0 to 1000000.") }
        }

        /// As a page prints it, too: 7,505.07 with its commas, and the long minus of what is taken off.
        private var pesos: Cents? {
            guard let text = amount?.replacing("\u{2212}", with: "-") else { return nil }
            return Cents(pesos: text) ?? Cents(grouped: text)
        }

        func run() async throws {
            var question = StatementExplanation.Question()
            question.contract = contract
            question.delegation = delegation
            question.rule = rule
            question.amount = pesos
            question.recordsMax = records
            question.linesMax = lines
            question.isOfPreStatements = pre
            let explanation = try StatementExplanation(
                try await database.open(), period: planned.argument.period, question)
            if json { return Console.out(try JSONText.of(explanation)) }
            for line in explanation.words { Console.out(line) }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Writes the statements of a closed month as JSON, CSV and pages, byte for byte as they were closed.",
            discussion: """
                Pages lead to index.html: the month's page where the close wrote one there, else a list of the statements.

                Examples:
                  dispatcherd statement export --period 2024-03 --out month
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The folder to write into.")
        var out: String

        func run() async throws {
            let period = planned.argument.period
            let statements = try MonthClosing(try await database.open(), period: period).kept()
            let count = try StatementFiles(out).write(kept: statements, of: period)
            Console.done("\(count) files in \(out); start with \(out)/index.html")
        }
    }
}
