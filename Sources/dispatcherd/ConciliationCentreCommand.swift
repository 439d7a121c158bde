// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd conciliation-centre`: municipalities whose debtors a conciliation centre sees.
struct ConciliationCentreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conciliation-centre",
        abstract: "Says where a conciliation centre sees debtors of 91 to 120 days under fna, instead of visits.",
        discussion: """
            Examples:
              dispatcherd conciliation-centre add 14039
              dispatcherd conciliation-centre list
            """,
        subcommands: [Add.self, Remove.self, List.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A municipality has a centre from now on.",
            discussion: """
                Examples:
                  dispatcherd conciliation-centre add 14039
                """)
        @OptionGroup var place: PlaceOptions
        func run() async throws { Console.done(try place.order().add(try await place.database.open())) }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A municipality has no centre any more.",
            discussion: """
                Examples:
                  dispatcherd conciliation-centre remove 14039
                """)
        @OptionGroup var place: PlaceOptions
        func run() async throws { Console.done(try place.order().remove(try await place.database.open())) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the municipalities with a centre.",
            discussion: """
                Examples:
                  dispatcherd conciliation-centre list --json
                """)
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions
        func run() async throws {
            Console.out(try ConciliationCentreOrder.list(asJSON: json, try await database.open()))
        }
    }

    struct PlaceOptions: ParsableArguments {
        @Argument(help: "The municipality's five digits.")
        var municipality: String
        @OptionGroup var database: DatabaseOptions

        func order() throws -> ConciliationCentreOrder { try ConciliationCentreOrder(municipality: municipality) }
    }
}
