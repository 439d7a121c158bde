// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Simulation

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Rebuild the history from the clients' logs and the database, and check every invariant.",
        discussion: """
            Exits with 1 where something is broken, and shows the shortest part of the history that shows it.
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

    func run() throws {
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
            throw SimulationFailure(.findings, "\(report.findings) breaks in the history", remedy: "")
        }
    }
}
