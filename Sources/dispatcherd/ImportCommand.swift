// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd import`: files into the database.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Takes a CSV file in: all of it, or nothing.",
        discussion: """
            `dispatcherd formats KIND` prints the columns with their ranges, and when a file of that kind is taken.
            A bad row keeps the whole file out, unless --accept-good is given; bad rows are listed in a file beside it.
            A version of a schedule that names fewer rules than the one before it is refused, unless --fewer-rules is given.
            The same file again changes nothing.
            Ends with 0 where the file is in (or was), 1 where it has bad rows, \
            2 for a wrong call or a period that does not take it, 3 where the database or the disk fails.

            Examples:
              dispatcherd import cut cut.csv --period 2024-03 --dry-run
              dispatcherd import cut cut.csv --period 2024-03
              dispatcherd import stops stops.csv --period 2024-03 --accept-good

            The kinds, and their columns (in brackets: may be empty or left out):

            \(ImportRequest.help)
            """)

    @Argument(help: "What the file is: \(ImportRequest.kinds.joined(separator: ", ")).")
    var kind: String
    @Argument(help: "The CSV file, in UTF-8, with a header.")
    var file: String
    @Option(help: "The month that it is for, as 2024-03.")
    var period: String
    @Flag(help: "Check everything, duplicates too, and change nothing.")
    var dryRun = false
    @Flag(help: "Take the good rows of a file that has bad ones.")
    var acceptGood = false
    @Flag(help: "Take schedules whose new version names fewer rules than the one before it: those rules end.")
    var fewerRules = false
    @Option(help: "Where to list the bad rows (default: FILE.bad.csv).")
    var badRows: String?
    @Flag(help: "Print the result as JSON.")
    var json = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let request = try ImportRequest(
            kind: kind, file: file, period: period, isDryRun: dryRun, acceptsGood: acceptGood,
            acceptsFewerRules: fewerRules, badRowsPath: badRows)
        try request.run(on: try await database.open(application: "dispatcherd import", founds: true), asJSON: json)
    }
}

/// `dispatcherd formats`: the columns of the files, as docs/formats.md has them.
struct FormatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "formats", abstract: "Prints the columns of the files that can be imported.",
        discussion: """
            Examples:
              dispatcherd formats
              dispatcherd formats cut
            """)

    @Argument(help: "One kind of file; all of them without it.")
    var kind: String?

    func run() throws { Console.out(try FormatsPage.text(kind)) }
}
