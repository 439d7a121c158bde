// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd workplan`: the goals of a month, from proposal to what was reached.
struct WorkplanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workplan",
        abstract: "Goals that agencies propose and the institution approves, and delegations' own.",
        discussion: """
            `import goals` proposes. What is approved counts for PEN-02 and PEN-22; the first grant in a delegation freezes it, and a
            later change needs a reason, which the statement shows. See docs/closing.md.

            Examples:
              dispatcherd import goals goals.csv --period 2024-03
              dispatcherd workplan approve --period 2024-03 --contract 31 --by "Ana Ruiz"
              dispatcherd workplan list --period 2024-03
            """,
        subcommands: [List.self, Approve.self, Reject.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every goal with its state and what was reached so far.",
            discussion: """
                Examples:
                  dispatcherd workplan list --period 2024-03
                  dispatcherd workplan list --period 2024-03 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let plans = try WorkPlans(try await database.open(), period: planned.argument.period)
            if json { return Console.out(try plans.json()) }
            for line in try plans.table() { Console.out(line) }
        }
    }

    struct Scope: ParsableArguments {
        @Option(help: "Whose goals.")
        var contract: Int32?
        @Flag(help: "The delegations' own goals.")
        var own = false
        @Option(help: "Only of this delegation, 1 to 32.")
        var delegation: Int16?
        @Option(help: "Only this goal.")
        var goal: String?
        @Option(help: "Who decides.")
        var by: String

        func validate() throws {
            guard own != (contract != nil) else { throw ValidationError("Give either --contract or --own.") }
        }

        var value: WorkPlans.Scope { WorkPlans.Scope(contract: contract, delegation: delegation, goal: goal) }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approves what waits. A goal of the same tactic and indicator that stood before is replaced.",
            discussion: """
                Examples:
                  dispatcherd workplan approve --period 2024-03 --contract 31 --by "Ana Ruiz"
                  dispatcherd workplan approve --period 2024-03 --own --delegation 14 --by "Ana Ruiz"
                  dispatcherd workplan approve --period 2024-03 --contract 31 --reason "flood in May" --by "Ana Ruiz"
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @OptionGroup var scope: Scope
        @Option(help: "Why; needed after the first grant.")
        var reason: String?

        func run() async throws {
            let plans = try WorkPlans(try await database.open(), period: planned.argument.period)
            let decided = try plans.decide(scope.value, isApproved: true, reason: reason, by: scope.by)
            Console.done(
                "\(decided.goals) goals approved, \(decided.replaced) in the place of others, \(decided.late) after the first grant"
            )
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rejects what waits.",
            discussion: """
                Examples:
                  dispatcherd workplan reject --period 2024-03 --contract 31 --goal W-14-0031-1 --reason "too low" --by "Ana Ruiz"
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @OptionGroup var scope: Scope
        @Option(help: "Why.")
        var reason: String

        func run() async throws {
            let plans = try WorkPlans(try await database.open(), period: planned.argument.period)
            let decided = try plans.decide(scope.value, isApproved: false, reason: reason, by: scope.by)
            Console.done("\(decided.goals) goals rejected")
        }
    }
}
