// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Simulation

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Rebuild the history from the clients' logs and the database, and check every invariant.",
        discussion: """
            Exits with 1 where something is broken, or where there was nothing to judge, and shows the shortest part of the history that shows it.
            The whole history is judged, not one month of it: leases live longer than a month.

            Examples:
              agentsim verify --log var/demo/clients --period 2024-03 --data-dir var/demo/postgres
              agentsim verify --log clients --period 2024-03 --json
              agentsim verify --log clients --period 2024-03 --partial --database postgresql:///reparto
            """)

    @OptionGroup var server: ServerOptions
    @Option(help: "The folder of the clients' logs that agentsim run wrote.")
    var log: String
    @Option(help: "The month that must be there, as in 2024-03.")
    var period: String
    @Flag(help: "Installations without a log are noted, not told as a break: others were at work, too.")
    var partial = false
    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        progress.apply()
        guard let month = Period(text: period) else {
            throw SimulationFailure(.usage, "\(period) is not a month", remedy: "Write it as in 2024-03")
        }
        guard Folder.exists(log) else {
            throw SimulationFailure(
                .usage, "there is no folder \(log)", remedy: "Give the folder that agentsim run wrote")
        }
        let verification = Verification(
            database: try server.connection(), logFolder: log, period: month, isPartial: partial)
        let report = try verification.run { done, total in
            Terminal.progress("delegations: \(done) of \(total)", isDone: done == total)
        }
        Terminal.out(json ? report.json : report.text)
        if !report.isClean {
            throw SimulationFailure(
                .findings, "\(VerdictReport.breaks(report.findings)) in the history", remedy: report.mismatch ?? "")
        }
        guard !report.isEmpty else {
            throw SimulationFailure(
                .findings, "there was nothing to judge: \(report.emptiness)",
                remedy: "Give the folder and the database of a month that was played")
        }
    }
}
