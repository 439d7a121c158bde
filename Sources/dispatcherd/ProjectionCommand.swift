// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd projection`: how a running month would end.
struct ProjectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projection",
        abstract: "Penalties and minimums that a running month would end in. Changes nothing.",
        discussion: """
            Work and money are projected in proportion to the days; agencies see their own in STATUS. See docs/closing.md.

            Examples:
              dispatcherd projection --period 2024-03
              dispatcherd projection --period 2024-03 --agency ACE07 --all
              dispatcherd projection --period 2024-03 --contract 31 --json
            """)

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Option(help: "Only this agency's, as ACE07.")
    var agency: String?
    @Option(help: "Only this contract.")
    var contract: Int32?
    @Flag(help: "What is fine, too.")
    var all = false
    @Flag(help: "As JSON.")
    var json = false

    func validate() throws {
        if let agency, AgencyID(text: agency) == nil {
            throw ValidationError("--agency is '\(agency)'; write it as ACE07.")
        }
    }

    func run() async throws {
        let link = try await database.open()
        let agency = agency.flatMap { AgencyID(text: $0) }
        try MonthProjection.require(agency: agency, contract: contract, link)
        let projection = try MonthProjection(link, period: planned.argument.period)
        let rows = projection.shown(agency: agency, contract: contract, all: all)
        if json { return Console.out(projection.json(rows)) }
        for line in projection.table(rows) { Console.out(line) }
    }
}
