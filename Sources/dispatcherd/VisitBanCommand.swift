// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd visit-ban`: territories in which a rule pack has no visits.
struct VisitBanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "visit-ban",
        abstract: "Says where a rule pack has no visits: a visit reported there is taken, and marked for review.",
        discussion: """
            Examples:
              dispatcherd visit-ban add --delegation 12 --pack fna
              dispatcherd visit-ban add --delegation 16 --municipality 16052 --pack fna
              dispatcherd visit-ban list
            """,
        subcommands: [Add.self, Remove.self, List.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "No visits there from now on.",
            discussion: """
                Examples:
                  dispatcherd visit-ban add --delegation 12 --pack fna
                """)
        @OptionGroup var territory: TerritoryOptions
        func run() async throws { Console.done(try territory.order().add(try await territory.database.open())) }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Visits are allowed there again.",
            discussion: """
                Examples:
                  dispatcherd visit-ban remove --delegation 12 --pack fna
                """)
        @OptionGroup var territory: TerritoryOptions
        func run() async throws { Console.done(try territory.order().remove(try await territory.database.open())) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the bans in force.",
            discussion: """
                Examples:
                  dispatcherd visit-ban list --json
                """)
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions
        func run() async throws { Console.out(try VisitBanOrder.list(asJSON: json, try await database.open())) }
    }

    struct TerritoryOptions: ParsableArguments {
        @Option(help: "The delegation, 1 to 32.")
        var delegation: Int16
        @Option(help: "One municipality of it, five digits; without it the whole delegation.")
        var municipality: String?
        @Option(help: "The rule pack: infonavit-2023, fonacot or fna.")
        var pack: String
        @OptionGroup var database: DatabaseOptions

        func order() throws -> VisitBanOrder {
            try VisitBanOrder(delegation: delegation, municipality: municipality, pack: pack)
        }
    }
}
