// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd database`: the private PostgreSQL.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Starts, stops and shows the private PostgreSQL.",
        discussion: """
            Examples:
              dispatcherd database start
              url=$(dispatcherd database url) && psql "$url"
            """,
        subcommands: [Start.self, Stop.self, Status.self, URL.self])

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts the private PostgreSQL and brings its schema up to date; fine where it runs already.",
            discussion: """
                Examples:
                  dispatcherd database start
                  dispatcherd database start --data-dir var/second
                """)
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let settings = try database.settings()
            _ = try Database.privateServer(settings)
            _ = try Database.open(settings, application: "dispatcherd database", founds: true)
            Console.out(try Database.privateServer(settings).line)
        }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops the private PostgreSQL; fine where it does not run.",
            discussion: """
                Examples:
                  dispatcherd database stop
                """)
        @OptionGroup var options: SettingsOptions

        func run() throws {
            let wasRunning = try Database.privateServer(options.settings()).stop()
            Console.done(wasRunning ? "stopped" : "not running")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows whether the private PostgreSQL runs, and where its data, socket and log are.",
            discussion: """
                Examples:
                  dispatcherd database status
                  dispatcherd database status --json
                """)
        @OptionGroup var options: SettingsOptions
        @Flag(help: "As JSON.")
        var json = false

        func run() throws {
            let server = try Database.privateServer(options.settings())
            Console.out(json ? try server.json() : server.line)
        }
    }

    struct URL: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "url",
            abstract:
                "Prints how psql and other programs reach the database, which it starts if need be but does not make.",
            discussion: """
                A password is not printed; libpq finds it in ~/.pgpass.

                Examples:
                  url=$(dispatcherd database url) && psql "$url"
                  url=$(dispatcherd database url) && pg_dump "$url" > reparto.sql
                """)
        @OptionGroup var options: SettingsOptions

        func run() throws { Console.out(try Database.shownConnection(options.settings())) }
    }
}

/// `dispatcherd migrate`: the schema of a database that somebody else runs.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the database's schema up to what this program works with; the owner runs it.",
        discussion: """
            Examples:
              dispatcherd migrate --database postgresql://owner@db.example/reparto
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let applied = try Database.migrate(options.settings())
        let numbers = applied.map { "\($0)" }.joined(separator: ", ")
        Console.done(applied.isEmpty ? "nothing to migrate" : "applied \(numbers)")
    }
}
