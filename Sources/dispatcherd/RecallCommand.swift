// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd recall`: held accounts that the institution wants back.
struct RecallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall",
        abstract: "Takes held accounts back: with a notice first, and a decision where the agency objects.",
        discussion: """
            A lawsuit, a death, a payoff or a payment from the fund needs no notice: \
            `dispatcherd import stops` takes such an account back at once.

            Examples:
              dispatcherd recall notice --agency ACE07 --strategy dual --limit 50 --reason over-limit --on 2024-03-20
              dispatcherd recall over-limit --on 2024-03-20
              dispatcherd recall list --objected
              dispatcherd recall uphold 14 1900012345 7 --reason no-promise-on-file
            """,
        subcommands: [Notice.self, OverLimit.self, List.self, Uphold.self, Withdraw.self])

    /// What every order says: of whose accounts, from when on, by whom, and whether it counts.
    struct OrderOptions: ParsableArguments {
        @Option(help: "One delegation, 1 to 32.")
        var delegation: Int16?
        @Option(help: "What an agency holds, as ACE07.")
        var agency: String?
        @Option(help: "What is held under a contract.")
        var contract: Int32?
        @Option(help: "preventive, administrative, dual or mediation.")
        var strategy: String?
        @Option(help: "The day from which on the accounts are taken back, as 2024-03-20.")
        var on: String
        @Option(help: "Who orders it.")
        var by: String = "operator"
        @Flag(help: "Give the notice; without it nothing is changed.")
        var apply = false
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run(_ order: RecallOrder) async throws {
            Console.out(try order.run(on: try await database.open(), applies: apply, asJSON: json), after: apply)
        }
    }

    struct Notice: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows which accounts a recall would take back; with --apply, gives notice of it.",
            discussion: """
                The agency is told at once and may object until the day comes; \
                reports and returns work until then, extensions do not.

                Examples:
                  dispatcherd recall notice --delegation 14 --account 1900012345 --reason no-progress --on 2024-03-20
                  dispatcherd recall notice --contract 31 --limit 50 --reason over-limit --on 2024-03-20 --apply
                """)
        @Option(name: .customLong("account"), help: "An account; may be given several times.")
        var accounts: [Int64] = []
        @Option(help: "So many at most, those leased last first.")
        var limit: Int32?
        @Option(help: "Why, in 1 to 64 of A-Z a-z 0-9 . _ -.")
        var reason: String
        @OptionGroup var order: OrderOptions

        func run() async throws {
            try await order.run(
                RecallOrder(
                    delegation: order.delegation, accounts: accounts, agency: order.agency, contract: order.contract,
                    strategy: order.strategy, limit: limit, reason: reason, on: order.on, by: order.by))
        }
    }

    struct OverLimit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "over-limit",
            abstract: "Shows what contracts hold above their limits; with --apply, gives notice of its recall.",
            discussion: """
                A limit that falls below what is held lets nothing more be pulled, and takes nothing back. Of each such limit \
                the lowest priority classes go first, and in a class those leased last; recalls under way count. \
                The agency is told at once and may object until the day comes.

                Examples:
                  dispatcherd recall over-limit --on 2024-03-20
                  dispatcherd recall over-limit --agency ACE07 --delegation 14 --on 2024-03-20 --by "Ana Ruiz" --apply
                """)
        @OptionGroup var order: OrderOptions

        func run() async throws {
            try await order.run(
                RecallOrder(
                    aboveLimitsIn: order.delegation, agency: order.agency, contract: order.contract,
                    strategy: order.strategy, on: order.on, by: order.by))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the recalls that are under way, by date.",
            discussion: """
                Examples:
                  dispatcherd recall list
                  dispatcherd recall list --objected --json
                """)
        @Flag(help: "Only those whose objection waits for a decision.")
        var objected = false
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            Console.out(try RecallCommands.list(objected: objected, asJSON: json, try await database.open()))
        }
    }

    struct Uphold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Upholds a recall: the account is taken back at its date.",
            discussion: """
                Examples:
                  dispatcherd recall uphold 14 1900012345 7 --reason no-promise-on-file
                """)
        @OptionGroup var decision: DecisionArguments
        func run() async throws { try await decision.run(upholds: true) }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraws a recall: the account stays with its holder.",
            discussion: """
                Examples:
                  dispatcherd recall withdraw 14 1900012345 7 --reason promise-of-the-eleventh
                """)
        @OptionGroup var decision: DecisionArguments
        func run() async throws { try await decision.run(upholds: false) }
    }

    struct DecisionArguments: ParsableArguments {
        @Argument(help: "The delegation.")
        var delegation: Int16
        @Argument(help: "The account.")
        var account: Int64
        @Argument(help: "The epoch; `dispatcherd recall list` shows it.")
        var epoch: Int64
        @Option(help: "Why, in 1 to 64 of A-Z a-z 0-9 . _ -.")
        var reason: String
        @Option(help: "Who decides.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func run(upholds: Bool) async throws {
            let decision = try RecallCommands.Decision(
                delegation: delegation, account: account, epoch: epoch, upholds: upholds, reason: reason, by: by)
            Console.done(try decision.run(on: try await database.open()))
        }
    }
}
