// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd experiment`: champion and challengers.
struct ExperimentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Compares agencies on like accounts: champion and challengers, each with its part.",
        discussion: """
            See docs/allocation.md.

            Examples:
              dispatcherd experiment list
              dispatcherd experiment read letters
            """,
        subcommands: [Define.self, Withdraw.self, Read.self, List.self])

    struct Define: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Defines an experiment; the plans of its months deal by it.",
            discussion: """
                The champion is named first. Shares are in percent and make 100 together. An account stays in the arm \
                that it was first dealt to. An experiment is defined before its first month is dealt, and is not changed: it \
                can be withdrawn. In delegations where an arm has no contract plans deal as without it.

                Examples:
                  dispatcherd experiment define letters --strategy administrative --from 2024-03 \\
                    --arm usual=80:ACE28 --arm letters=20:ACE29
                  dispatcherd experiment define visits --strategy dual --delegation 14 --from 2024-03 --until 2024-05 \\
                    --arm usual=70:ACE01 --arm early=30:ACE04 --stratum balance --smallest-sample 500
                """)
        @Argument(help: "Its name, in 1 to 64 of A-Z a-z 0-9 . _ -.")
        var name: String
        @Option(help: "preventive, administrative, dual or mediation.")
        var strategy: String
        @Option(
            name: .customLong("delegation"), help: "A delegation, 1 to 32; may be given several times; all without.")
        var delegations: [Int16] = []
        @Option(help: "The first month, as 2024-03.")
        var from: String
        @Option(help: "The last month; the first one without it.")
        var until: String?
        @Option(name: .customLong("arm"), help: "NAME=SHARE:AGENCY,…, once for each arm, the champion first.")
        var arms: [String] = []
        @Option(
            name: .customLong("stratum"),
            help: "What tells strata apart besides the tactic: band, balance, probability, employment.")
        var strata: [String] = []
        @Option(help: "Accounts that an arm or stratum must have before it is compared.")
        var smallestSample: Int64 = 400
        @Option(help: "Who defines it.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let definition = try ExperimentCommands.Definition(
                name: name, strategy: strategy, delegations: delegations, from: from, until: until, strata: strata,
                smallestSample: smallestSample, arms: arms, by: by)
            Console.done(try definition.run(on: try await database.open()))
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes an experiment back, or ends it with the month that is dealt.",
            discussion: """
                One by which nothing was dealt is gone, and its name is free. Of another one the months that are dealt stay \
                as they are, and can be read; plans of later months deal as without it.

                Examples:
                  dispatcherd experiment withdraw letters --motive nothing-to-compare
                """)
        @Argument(help: "Its name.")
        var name: String
        @Option(help: "Why, in 1 to 64 of A-Z a-z 0-9 . _ -.")
        var motive: String
        @Option(help: "Who withdraws it.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let withdrawal = try ExperimentWithdrawal(name: name, motive: motive, by: by)
            Console.done(try withdrawal.run(on: try await database.open()))
        }
    }

    struct Read: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows per arm and stratum what came of it, and how challengers differ from the champion.",
            discussion: """
                Below the smallest sample it says 'not enough yet'. A star marks a difference that 95 % intervals tell \
                from none.

                Examples:
                  dispatcherd experiment read letters
                  dispatcherd experiment read letters --json
                """)
        @Argument(help: "Its name.")
        var name: String
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            Console.out(try ExperimentCommands.read(name: name, asJSON: json, try await database.open()))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the experiments with their arms.",
            discussion: """
                Examples:
                  dispatcherd experiment list
                  dispatcherd experiment list --json
                """)
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws { Console.out(try ExperimentCommands.list(asJSON: json, try await database.open())) }
    }
}
