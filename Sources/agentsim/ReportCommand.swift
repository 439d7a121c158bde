// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Simulation

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Compare what came out of a played month with what was published.",
        discussion: """
            Reads the clients' logs, the payments and the cut. Ends with 1 where a figure is outside its tolerance.

            Examples:
              agentsim report --log var/demo/clients --cut var/demo/portfolio/cut.csv --period 2024-03
              agentsim report --log var/demo/clients --cut var/demo/portfolio/cut.csv --period 2024-03 \\
                --reviews var/demo/reviews.csv
            """)

    @Option(help: "The folder of logs, states and payments that agentsim run wrote.")
    var log: String
    @Option(help: "The cut that the month was played on.")
    var cut: String
    @Option(help: "The month, as in 2024-03.")
    var period: String
    @Option(help: "The file of reviews: what was rejected does not count as work.")
    var reviews: String?
    @Flag(help: "For programs.")
    var json = false

    func run() throws {
        guard let month = Period(text: period) else {
            throw SimulationFailure(.usage, "\(period) is not a month", remedy: "Write it as in 2024-03")
        }
        let monthFigures = try MonthFigures(log: log, cut: cut, reviews: reviews, period: month)
        guard monthFigures.leased > 0 else {
            throw SimulationFailure(
                .usage, "the logs in \(log) have no lease of \(month)",
                remedy: "Name a month that was played, and its logs")
        }
        let figures = monthFigures.measured
        if json {
            Terminal.out(FigureTable.json(figures))
        } else {
            Terminal.out("Published aggregates of a month, from \(log):")
            for line in FigureTable.lines(figures) { Terminal.out(line) }
            Terminal.out(monthFigures.universeLine)
            Terminal.out(monthFigures.settingsLine)
        }
        let outside = figures.filter { $0.verdict == .outside }.map(\.figure.id)
        guard outside.isEmpty else {
            throw SimulationFailure(
                .findings, "outside of the tolerance: \(outside.joined(separator: ", "))",
                remedy:
                    "Agencies that cheat, a month that is not over, or one in which much is dealt again, are expected to be"
            )
        }
    }
}
