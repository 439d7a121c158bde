// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd agency`: who is given work, and what agencies sign in with.
struct AgencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agency", abstract: "Says which agencies are given work, and keeps their keys.",
        discussion: """
            Examples:
              dispatcherd agency list
              dispatcherd agency conduct --period 2024-03
              dispatcherd agency hold ACE07 --motive audit --preview
              dispatcherd agency key add --file keys.csv
            """,
        subcommands: [Status.self, Conduct.self, Hold.self, Suspend.self, Terminate.self, Release.self, Key.self])

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds, lists, rotates and revokes the public keys that agencies sign in with.",
            discussion: """
                Examples:
                  dispatcherd agency key add --file keys.csv
                  dispatcherd agency key list --agency ACE07
                  dispatcherd agency key revoke ACE07 second
                """,
            subcommands: [Add.self, List.self, Rotate.self, Revoke.self])
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a key, or all keys of a file.",
            usage: """
                dispatcherd agency key add AGENCY NAME PUBLIC-KEY [--expires 2024-12-31]
                dispatcherd agency key add --file keys.csv
                """,
            discussion: """
                An agency may have several keys. The same key again changes nothing.

                Examples:
                  dispatcherd agency key add --file keys.csv
                  dispatcherd agency key add ACE07 second "$PUBLIC_KEY"
                """)

        @Argument(help: "The agency, as ACE07.")
        var agency: String?
        @Argument(help: "The key's name within the agency.")
        var name: String?
        @Argument(help: "The Ed25519 public key, 32 bytes in Base64.")
        var publicKey: String?
        @Option(help: "The last day on which it is taken, as 2024-12-31.")
        var expires: String?
        @Option(help: "A CSV file of keys; see `dispatcherd formats keys`.")
        var file: String?
        @Option(help: "Who does it, for the ledger.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            let single = [agency, name, publicKey].compactMap(\.self)
            guard file == nil ? single.count == 3 : single.isEmpty && expires == nil else {
                throw ValidationError("Give either AGENCY NAME PUBLIC-KEY, or --file keys.csv.")
            }
        }

        func run() async throws {
            if let file {
                try AgencyKeyCommands.requireFile(file)
                try AgencyKeyCommands.add(file: file, by: by, try await database.open(founds: true))
            } else if let agency, let name, let publicKey {
                let key = try AgencyKeyCommands.key(agency: agency, name: name, base64: publicKey, expires: expires)
                try AgencyKeyCommands.add(key, by: by, try await database.open(founds: true))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists keys by agency and name.",
            discussion: """
                Examples:
                  dispatcherd agency key list
                  dispatcherd agency key list --agency ACE07 --json
                """)

        @Option(help: "One agency, as ACE07; all of them without it.")
        var agency: String?
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            Console.out(try AgencyKeyCommands.list(agency: agency, asJSON: json, try await database.open()))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a key in the place of another one, which is taken for some days more.",
            discussion: """
                Examples:
                  dispatcherd agency key rotate ACE07 first second "$PUBLIC_KEY"
                  dispatcherd agency key rotate ACE07 first second "$PUBLIC_KEY" --keep-days 0
                """)

        @Argument(help: "The agency, as ACE07.")
        var agency: String
        @Argument(help: "The name of the key that is replaced.")
        var old: String
        @Argument(help: "The new key's name.")
        var name: String
        @Argument(help: "The Ed25519 public key, 32 bytes in Base64.")
        var publicKey: String
        @Option(name: .customLong("keep-days"), help: "Days for which the old key is still taken.")
        var keepDays: Int32 = 7
        @Option(help: "Who does it, for the ledger.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try AgencyKeyCommands.rotate(
                agency: agency, old: old, name: name, base64: publicKey, keepDays: keepDays, by: by,
                try await database.open())
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a key at once. It stays listed, and its name is not used again.",
            discussion: """
                Examples:
                  dispatcherd agency key revoke ACE07 second
                """)

        @Argument(help: "The agency, as ACE07.")
        var agency: String
        @Argument(help: "The key's name.")
        var name: String
        @Option(help: "Who does it, for the ledger.")
        var by: String = "operator"
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try AgencyKeyCommands.revoke(agency: agency, name: name, by: by, try await database.open())
        }
    }
}
