// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd report returns`: what came back, and what comes next of it.
extension ReportCommand {
    struct Returns: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What came back by return, expiry or recall within a month, and what comes next of each account.",
            discussion: """
                Examples:
                  dispatcherd report returns --period 2024-03
                  dispatcherd report returns --period 2024-03 --csv returns.csv
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "Write them all as CSV into this file; - is standard output.")
        var csv: String?
        @Flag(help: "Print them all as JSON.")
        var json = false

        func run() async throws {
            let list = try ReturnList(try await database.open(), period: planned.argument)
            if let csv {
                let count = try list.write(to: csv)
                if csv != "-" { Console.out("\(Console.grouped(count)) accounts; written to \(csv)") }
            } else if json {
                Console.out(try list.json())
            } else {
                for line in list.lines { Console.out(line) }
            }
        }
    }
}
