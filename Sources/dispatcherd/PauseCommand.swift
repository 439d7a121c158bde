// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd pause`: no accounts of a strategy for now.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pauses a strategy: agencies get no accounts of it, and keep what they hold.",
        discussion: """
            Examples:
              dispatcherd pause set dual --delegation 14 --reason new-deal --until 2024-03-12
              dispatcherd pause lift dual --delegation 14
              dispatcherd pause list
            """,
        subcommands: [Set.self, Lift.self, List.self])

    struct Place: ParsableArguments {
        @Argument(help: "preventive, administrative, dual or mediation.")
        var strategy: String
        @Option(help: "One delegation, 1 to 32; all of them without it.")
        var delegation: Int16?
        @Option(help: "One agency, as ACE07; all of them without it.")
        var agency: String?
        @OptionGroup var database: DatabaseOptions
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pauses a strategy from now on, and tells the agencies.",
            discussion: """
                Examples:
                  dispatcherd pause set dual --reason new-deal
                  dispatcherd pause set dual --delegation 14 --agency ACE07 \\
                    --reason audit --until 2024-03-12
                """)
        @OptionGroup var place: Place
        @Option(help: "Why, in 1 to 64 of A-Z a-z 0-9 . _ -.")
        var reason: String
        @Option(help: "The day on which it ends by itself, as 2024-03-12.")
        var until: String?

        func run() async throws {
            let order = try PauseOrder(
                strategy: place.strategy, delegation: place.delegation, agency: place.agency, reason: reason,
                until: until)
            Console.done(try order.set(try await place.database.open()))
        }
    }

    struct Lift: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the institution's pause of a strategy, and tells the agencies. Their own pauses stay.",
            discussion: """
                Examples:
                  dispatcherd pause lift dual --delegation 14
                """)
        @OptionGroup var place: Place

        func run() async throws {
            let order = try PauseOrder(
                strategy: place.strategy, delegation: place.delegation, agency: place.agency, reason: "lifted",
                until: nil)
            Console.done(try order.lift(try await place.database.open()))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the pauses in force.",
            discussion: """
                Examples:
                  dispatcherd pause list
                  dispatcherd pause list --json
                """)
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            Console.out(try PauseOrder.list(asJSON: json, try await database.open()))
        }
    }
}
