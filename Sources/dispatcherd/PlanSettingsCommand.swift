// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Assignment
internal import Dispatcher

/// `dispatcherd plan settings`: what is decided about plans beyond the contracts.
struct PlanSettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Shares, caps, rotation and the other settings of plans.",
        discussion: """
            A YAML file, described in docs/allocation.md. What is put counts from a month on, until another is put.
            Try a file first: dispatcherd plan preview --period 2024-04 --settings mine.yaml

            Examples:
              dispatcherd plan settings check mine.yaml
              dispatcherd plan settings put mine.yaml --from 2024-04 --by ana
              dispatcherd plan settings show --period 2024-04
              dispatcherd plan settings list
            """,
        subcommands: [Check.self, Put.self, Show.self, List.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a file and tells every fault; needs no database.",
            discussion: """
                Examples:
                  dispatcherd plan settings check mine.yaml
                """)
        @Argument(help: "The YAML file.")
        var file: String

        func run() throws {
            let settings = try PlanSettingsFile(path: file)
            let rules = settings.settings.shares.count
            Console.out("\(file): fine, \(rules) rule\(rules == 1 ? "" : "s") of shares")
        }
    }

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a file in force from a month on.",
            discussion: """
                A month that has a plan keeps the settings that it was planned by.

                Examples:
                  dispatcherd plan settings put mine.yaml --from 2024-04 --by ana
                """)
        @OptionGroup var database: DatabaseOptions
        @Argument(help: "The YAML file.")
        var file: String
        @Option(help: "The first month, as 2024-04.")
        var from: String
        @Option(help: "Who decides.")
        var by: String

        func run() async throws {
            let settings = try PlanSettingsFile(path: file)
            let period = try PeriodArgument(text: from).period
            let book = PlanSettingsBook(try await database.open())
            guard try book.put(settings, from: period, by: by) else {
                return Console.done("nothing changed: they are in force for \(period) already")
            }
            let former = try book.replaced(from: period).map {
                ", in the place of \($0.settings), \($0.digest.prefix(16)), by \($0.by)"
            }
            Console.done("settings \(settings.settings.name) are in force from \(period) on\(former ?? "")")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the file that is in force for a month, as it was put.",
            discussion: """
                Examples:
                  dispatcherd plan settings show --period 2024-04 > plan-settings.yaml
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The month, as 2024-04.")
        var period: String

        func run() async throws {
            let settings = try PlanSettingsBook(try await database.open())
                .inForce(try PeriodArgument(text: period).period)
            Console.out(settings.text.isEmpty ? "settings: standard" : settings.text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what was put, by whom and when.",
            discussion: """
                Of several for one first month the one that was put last counts; the others say what replaced them.

                Examples:
                  dispatcherd plan settings list
                  dispatcherd plan settings list --json
                """)
        @OptionGroup var database: DatabaseOptions
        @Flag(help: "Print the list as JSON.")
        var json = false

        func run() async throws {
            let lines = try PlanSettingsBook(try await database.open()).history()
            if json { return Console.out(try JSONText.of(lines)) }
            if lines.isEmpty { Console.out("nothing was put: the standard settings are in force") }
            for line in lines { Console.out(line.text) }
        }
    }
}
