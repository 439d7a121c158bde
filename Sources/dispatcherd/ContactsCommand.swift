// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd contacts`: how debtors are reached, stored sealed.
struct ContactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contacts",
        abstract: "Takes contact data in. It is stored sealed and disclosed to an account's holder only.",
        discussion: """
            Examples:
              dispatcherd contacts new-key contact.key
              dispatcherd contacts load contacts.csv --key-file contact.key
            """,
        subcommands: [NewKey.self, Load.self])

    struct NewKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-key", abstract: "Makes the key that seals contact data.",
            discussion: """
                Keep a copy apart from the database's backups: without it the data cannot be opened.

                Examples:
                  dispatcherd contacts new-key contact.key
                """)
        @Argument(help: "The file to make.")
        var file: String

        func run() async throws { Console.done(try ContactCommands.newKey(file)) }
    }

    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a CSV file of contact data in; see `dispatcherd formats contacts`.",
            discussion: """
                Examples:
                  dispatcherd contacts load contacts.csv --key-file contact.key
                """)
        @Argument(help: "The CSV file.")
        var file: String
        @Option(name: .customLong("key-file"), help: "The key that seals it; contact.key-file without it.")
        var keyFile: String?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let settings = try database.settings([.contactKeyFile: keyFile].compactMapValues(\.self))
            Console.done(try ContactCommands.load(file, settings: settings, try await database.open()))
        }
    }
}
