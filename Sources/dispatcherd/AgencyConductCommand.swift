// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd agency conduct`: who behaves unlike the others.
extension AgencyCommand {
    struct Conduct: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "How the agencies behaved in a month; a star where one is unlike the others, ? where too little is known.",
            discussion: """
                Made of what is recorded anyway; of a month that still runs it is what is known so far. Ends with 0 whatever it shows.

                Examples:
                  dispatcherd agency conduct --period 2024-03
                  dispatcherd agency conduct --period 2024-03 --json
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Flag(help: "As JSON, with the counts.")
        var json = false

        func run() async throws {
            let conduct = try AgencyConduct(try await database.open(), period: planned.argument.period)
            if json { return Console.out(try conduct.json()) }
            for line in conduct.lines { Console.out(line) }
        }
    }
}
