// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd clock`: the clock in the database.
struct ClockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock",
        abstract: "Shows or sets the database's clock, which is the only one there is.",
        discussion: """
            Examples:
              dispatcherd clock show
              dispatcherd clock set 2024-03-01T06:00Z
            """,
        subcommands: [Show.self, Set.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the time, and whether it is virtual.",
            discussion: """
                Examples:
                  dispatcherd clock show
                  dispatcherd clock show --json
                """)
        @OptionGroup var database: DatabaseOptions
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            Console.out(try DatabaseClock.show(try await database.open(), asJSON: json))
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets the virtual clock forward, or goes over to real time.",
            discussion: """
                A database where a plan was dealt or accounts are leased in real \
                time does not take a virtual clock. There is no way back from real \
                time, so it is refused where it would end terms of open grants or \
                where a month was dealt by the virtual clock, unless --end-terms \
                says that this is meant.

                Examples:
                  dispatcherd clock set 2024-03-01T06:00Z
                  dispatcherd clock set real
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "A time such as 2024-03-01T06:00Z, or 'real'.")
        var time: String
        @Flag(
            help:
                "With 'real': also where the terms of open grants are over by it, or a month was dealt by the virtual clock."
        )
        var endTerms = false

        func validate() throws {
            guard !endTerms || time == "real" else {
                throw ValidationError("--end-terms goes with 'real'; a step of a virtual clock ends terms anyway")
            }
        }

        func run() async throws {
            let link = try await database.open(founds: true)
            if time == "real" {
                try DatabaseClock.setReal(link, endsTerms: endTerms)
            } else {
                try DatabaseClock.set(time, link)
            }
            Console.done(try DatabaseClock.show(link, asJSON: false))
        }
    }
}
