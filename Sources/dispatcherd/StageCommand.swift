// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd period`: how far each month has come.
struct PeriodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "period", abstract: "How far each month has come, from open to adjusted.",
        discussion: """
            open, review, pre-statement, objections, closed (not signed), final (signed), adjusted; see docs/closing.md.

            Examples:
              dispatcherd period
              dispatcherd period --json
            """)
    @OptionGroup var database: DatabaseOptions
    @Flag(help: "As JSON.")
    var json = false

    func run() async throws {
        let settings = try database.settings()
        let rows = try StageCommands(try await database.open(), settings).stages()
        if json {
            let json = CanonicalJSON.array(
                rows.map { row in
                    .object([
                        "period": .string("\(row.period)"), "stage": .string(row.stage.rawValue),
                        "undecided": .number(row.facts.undecided),
                        "objectionsUntil": .string(row.facts.objectionsUntil.map { "\($0)" } ?? ""),
                    ])
                })
            return Console.out(String(json.text.dropLast()))
        }
        var table = TextTable(columns: [.left, .left, .right, .left])
        table.row(["period", "stage", "undecided", "objections until"])
        for row in rows {
            table.row([
                "\(row.period)", row.stage.rawValue, "\(row.facts.undecided)",
                row.facts.objectionsUntil.map { "\($0)" } ?? "",
            ])
        }
        for line in table.lines { Console.out(line) }
    }
}

/// `dispatcherd objection`: what agencies say against their pre-statements.
struct ObjectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "objection",
        abstract: "What agencies say against lines of their pre-statements, and what was decided.",
        discussion: """
            Examples:
              dispatcherd objection raise --period 2024-03 --contract 12 --delegation 14 --rule PEN-02 --reason "goal G-7 was met" --by ACE07
              dispatcherd objection uphold 1 --reason "the goal was met" --by "Ana Ruiz"
              dispatcherd objection list --period 2024-03
            """,
        subcommands: [Raise.self, Uphold.self, Propose.self, Reject.self, List.self])

    struct Raise: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Records an objection to a line of a pre-statement.",
            discussion: """
                Examples:
                  dispatcherd objection raise --period 2024-03 --contract 12 --delegation 14 --rule PEN-02 --reason "met" --by ACE07
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The contract's number.")
        var contract: Int32
        @Option(help: "The delegation; without it a charge on the whole invoice. Fees are a delegation's.")
        var delegation: Int16?
        @Option(
            help:
                "What it is about: a penalty that is there, PEN-01 to PEN-08 or PEN-20 to PEN-22 (of PEN-01 in two portfolios PEN-01:telephone or PEN-01:home-visit); fees, FEE-11, or a band, FEE-01 to FEE-05, where the contract pays by bands; or AGY-15 where a budget cut fees."
        )
        var rule: String
        @Option(help: "Why.")
        var reason: String
        @Option(help: "The contract's agency.")
        var by: String

        func run() async throws {
            let settings = try database.settings()
            let number = try StageCommands(try await database.open(), settings).object(
                planned.argument.period, contract: contract, delegation: delegation, rule: rule, reason: reason, by: by)
            Console.done("objection \(number) waits for its decision")
        }
    }

    struct Decision: ParsableArguments {
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The objection's number.")
        var number: Int64
        @Option(help: "Why.")
        var reason: String
        @Option(help: "Who decides.")
        var by: String

        func run(_ isUpheld: Bool, amount: Cents? = nil) async throws {
            let settings = try database.settings()
            let stages = StageCommands(try await database.open(), settings)
            let adjustment = try stages.decide(
                objection: number, isUpheld: isUpheld, amount: amount, reason: reason, by: by)
            Console.done("objection \(number) is \(isUpheld ? "upheld" : "rejected")")
            if let adjustment { try tell(adjustment, stages) }
        }

        func proposeAgain(amount: Cents?) async throws {
            let settings = try database.settings()
            let stages = StageCommands(try await database.open(), settings)
            let adjustment = try stages.proposeAgain(objection: number, amount: amount, reason: reason, by: by)
            guard let adjustment else { return Console.out("there is nothing left to take back") }
            try tell(adjustment, stages)
        }

        private func tell(_ adjustment: Int64, _ stages: StageCommands) throws {
            Console.out(
                "adjustment \(adjustment) is proposed; `dispatcherd adjustment approve \(adjustment)` puts it in force")
            if let warning = try stages.beyondInvoice(adjustment: adjustment) {
                Console.note("warning: \(warning)")
            }
            if let note = try stages.besideWaivers(adjustment: adjustment) { Console.note("note: \(note)") }
        }
    }

    struct Uphold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Upholds an objection; against a penalty it proposes the waiver, about fees a credit in the same statement.",
            discussion: """
                Examples:
                  dispatcherd objection uphold 1 --reason "the goal was met" --by "Ana Ruiz"
                  dispatcherd objection uphold 2 --amount 310.00 --reason "outcome 55120 was approved" --by "Ana Ruiz"
                """)
        @OptionGroup var decision: Decision
        @Option(
            help: "Pesos before IVA: what fees lack, or what of a penalty is waived; without it all of the penalty.")
        var amount: String?

        func validate() throws {
            guard amount == nil || pesos.map({ $0 > .zero }) ?? false else {
                throw ValidationError("--amount is pesos above 0 with at most two decimals, such as 310.00.")
            }
        }

        private var pesos: Cents? { amount.flatMap { Cents(pesos: $0) } }

        func run() async throws { try await decision.run(true, amount: pesos) }
    }

    struct Propose: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Proposes anew what an upheld objection had proposed, where another person rejected that or it was withdrawn.",
            discussion: """
                The month has to be open. Both proposals stay on record, each with the objection.

                Examples:
                  dispatcherd objection propose 2 --amount 250.00 --reason "without outcome 55121" --by "Ana Ruiz"
                """)
        @OptionGroup var decision: Decision
        @Option(help: "As of uphold.")
        var amount: String?

        func validate() throws {
            guard amount == nil || pesos.map({ $0 > .zero }) ?? false else {
                throw ValidationError("--amount is pesos above 0 with at most two decimals, such as 310.00.")
            }
        }

        private var pesos: Cents? { amount.flatMap { Cents(pesos: $0) } }

        func run() async throws { try await decision.proposeAgain(amount: pesos) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rejects an objection.",
            discussion: """
                Examples:
                  dispatcherd objection reject 1 --reason "the visit shows the office closed" --by "Ana Ruiz"
                """)
        @OptionGroup var decision: Decision
        func run() async throws { try await decision.run(false) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All objections, or a month's.",
            discussion: """
                Examples:
                  dispatcherd objection list --period 2024-03
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The month, as 2024-03.", transform: PeriodArgument.init(text:))
        var period: PeriodArgument?
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let settings = try database.settings()
            let commands = StageCommands(try await database.open(), settings)
            Console.out(try StageLists.objections(commands.objections(period?.period), asJSON: json))
        }
    }
}

/// `dispatcherd adjustment`: what persons change of a statement.
struct AdjustmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjustment",
        abstract:
            "Waivers of penalties, and credits and debits about earlier months: proposed by one person, decided by another.",
        discussion: """
            Examples:
              dispatcherd adjustment propose waiver --period 2024-03 --contract 12 --delegation 14 --rule PEN-02 --reason "flood" --by "Ana Ruiz"
              dispatcherd adjustment propose credit --period 2024-04 --about 2024-03 --contract 12 --rule FEE-11 --amount 310.00 --reason "late review" --by "Ana Ruiz"
              dispatcherd adjustment approve 1 --reason "the flood is documented" --by "Luis Soto"
            """,
        subcommands: [Propose.self, Approve.self, Reject.self, Withdraw.self, List.self])

    struct Propose: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Proposes a waiver, a credit or a debit; it counts once another person approves it.",
            discussion: """
                Examples:
                  dispatcherd adjustment propose waiver --period 2024-03 --contract 12 --delegation 14 --rule PEN-02 --reason "flood" --by "Ana Ruiz"
                  dispatcherd adjustment propose debit --period 2024-04 --about 2024-03 --contract 12 --rule PEN-03 --amount 500 --reason "visit V-9" --by "Ana Ruiz"
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Argument(help: "waiver, credit or debit.")
        var kind: String
        @Option(
            help: "The earlier month that it is about; of a waiver the month itself.",
            transform: PeriodArgument.init(text:))
        var about: PeriodArgument?
        @Option(help: "The contract's number.")
        var contract: Int32
        @Option(help: "The delegation; without it on the whole invoice.")
        var delegation: Int16?
        @Option(
            help:
                "What it is about: a penalty, PEN-01 to PEN-08 or PEN-20 to PEN-22 (of PEN-01 in two portfolios PEN-01:telephone or PEN-01:home-visit), and of a credit or debit also fees, FEE-11, FEE-01 to FEE-05 or AGY-15."
        )
        var rule: String
        @Option(
            help:
                "Pesos before IVA, of a waiver, or a credit about a penalty, at most what of it was not given back yet; without it a waiver takes all of that."
        )
        var amount: String?
        @Flag(help: "Propose a debit although the debits about that month come to more than its invoice.")
        var beyondInvoice = false
        @Option(help: "Why.")
        var reason: String
        @Option(help: "Who proposes.")
        var by: String

        func validate() throws {
            guard Adjustment.Kind(rawValue: kind) != nil else {
                throw ValidationError("An adjustment is a waiver, a credit or a debit.")
            }
            guard !beyondInvoice || kind == Adjustment.Kind.debit.rawValue else {
                throw ValidationError("--beyond-invoice is of a debit; nothing else is held to the invoice.")
            }
            guard amount == nil || pesos.map({ $0 > .zero }) ?? false else {
                throw ValidationError("--amount is pesos above 0 with at most two decimals, such as 310.00.")
            }
        }

        private var pesos: Cents? { amount.flatMap { Cents(pesos: $0) } }

        func run() async throws {
            let period = planned.argument.period
            let adjustment = Adjustment(
                number: 0, kind: Adjustment.Kind(rawValue: kind) ?? .waiver, rule: rule, amount: pesos,
                about: about?.period ?? period, reason: reason)
            let settings = try database.settings()
            let stages = StageCommands(try await database.open(), settings)
            let number = try stages.propose(
                adjustment, in: period, contract: contract, delegation: delegation, isBeyondInvoice: beyondInvoice,
                by: by)
            if let warning = try stages.beyondInvoice(adjustment: number) { Console.note("warning: \(warning)") }
            if let note = try stages.besideWaivers(adjustment: number) { Console.note("note: \(note)") }
            Console.done("\(kind) \(number) is proposed; `dispatcherd adjustment approve \(number)` puts it in force")
        }
    }

    struct Decision: ParsableArguments {
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The adjustment's number.")
        var number: Int64
        @Option(help: "Why.")
        var reason: String
        @Option(help: "Who decides.")
        var by: String

        func run(_ isApproved: Bool) async throws {
            let settings = try database.settings()
            let stages = StageCommands(try await database.open(), settings)
            try stages.decide(adjustment: number, isApproved: isApproved, reason: reason, by: by)
            if isApproved, let warning = try stages.beyondInvoice(adjustment: number) {
                Console.note("warning: \(warning); `dispatcherd adjustment withdraw \(number)` takes it back")
            }
            Console.done("adjustment \(number) is \(isApproved ? "approved" : "rejected")")
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts an adjustment in force.",
            discussion: """
                Examples:
                  dispatcherd adjustment approve 1 --reason "the flood is documented" --by "Luis Soto"
                """)
        @OptionGroup var decision: Decision
        func run() async throws { try await decision.run(true) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rejects an adjustment.",
            discussion: """
                Examples:
                  dispatcherd adjustment reject 1 --reason "no evidence" --by "Luis Soto"
                """)
        @OptionGroup var decision: Decision
        func run() async throws { try await decision.run(false) }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Proposes to take an approved adjustment back while its month is open; another person approves that.",
            discussion: """
                Both stay on record. Approved, the withdrawal takes the adjustment out of force, as if it had never been approved.

                Examples:
                  dispatcherd adjustment withdraw 1 --reason "of another contract" --by "Ana Ruiz"
                  dispatcherd adjustment approve 2 --reason "seen" --by "Luis Soto"
                """)
        @OptionGroup var decision: Decision

        func run() async throws {
            let settings = try decision.database.settings()
            let number = try StageCommands(try await decision.database.open(), settings).withdraw(
                adjustment: decision.number, reason: decision.reason, by: decision.by)
            Console.done(
                "withdrawal \(number) of adjustment \(decision.number) is proposed; `dispatcherd adjustment approve \(number)` "
                    + "takes it back")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "All adjustments, or those of a month's statements.",
            discussion: """
                Examples:
                  dispatcherd adjustment list --period 2024-03
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The month, as 2024-03.", transform: PeriodArgument.init(text:))
        var period: PeriodArgument?
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let settings = try database.settings()
            let commands = StageCommands(try await database.open(), settings)
            Console.out(try StageLists.adjustments(commands.adjustments(period?.period), asJSON: json))
        }
    }
}
