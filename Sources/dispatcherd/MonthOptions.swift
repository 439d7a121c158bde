// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// What a command takes that reports on a month: lines for people, JSON for programs.
struct MonthReportOptions: ParsableArguments {
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Flag(help: "All of it as JSON.")
    var json = false

    var period: Period { planned.argument.period }

    func put(json text: @autoclosure () throws -> String, lines: @autoclosure () throws -> [String]) rethrows {
        if json { return Console.out(try text()) }
        for line in try lines() { Console.out(line) }
    }
}

/// The same of a list that may be long: people see its head, and a file of CSV has all of it.
struct MonthListOptions: ParsableArguments {
    @OptionGroup var report: MonthReportOptions
    @Option(help: "Write all of it as CSV into this file; - is standard output.")
    var csv: String?

    var database: DatabaseOptions { report.database }
    var period: Period { report.period }

    func validate() throws {
        if csv != nil, report.json { throw ValidationError("Give either --csv or --json.") }
    }

    /// - Parameters:
    ///   - what: the rows' name, for people.
    ///   - csv: writes the file and says how many rows it has.
    func put(
        _ what: String, csv write: (String) throws -> Int, json: @autoclosure () throws -> String,
        lines: @autoclosure () throws -> [String]
    ) throws {
        guard let csv else { return try report.put(json: json(), lines: lines()) }
        let count = try write(csv)
        if csv != "-" { Console.out("\(Console.grouped(count)) \(what); written to \(csv)") }
    }
}
