// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Work a small installation of its own, break what it stands on, and judge what came of it.",
        discussion: """
            Makes a PostgreSQL, a dealt month and nodes of its own, lets agencies work over them through proxies, and meanwhile \
            kills, pauses, cuts, fills and shifts by a schedule that the seed decides. It touches nothing that it has not \
            started itself. At the end everything is made whole, every request has to be answered, and the history is judged as \
            by agentsim verify; it exits with 1 where something is broken.
            A fault that needs what is not there (root for a disk of its own, a C compiler for clocks) is told as skipped.

            Examples:
              agentsim chaos
              agentsim chaos --seconds 600 --seed 42 --nodes 3
              agentsim chaos --only server-kill,node-storm,net-silent --json
              agentsim chaos --list
            """)

    @Option(help: "Seconds of faults, 5 to 86400; each fault comes once, even if that takes longer.")
    var seconds = 120
    @Option(help: "The seed of the schedule, of the faults and of what the agencies do.")
    var seed: UInt64 = 7
    @Option(help: "Nodes of the daemon, 1 to 8.")
    var nodes = 2
    @Option(help: "Agencies that work, 1 to 29.")
    var agencies = 8
    @Option(help: "Accounts of the portfolio.")
    var accounts = 20_000
    @Option(help: "The folder of logs, which must not have a run yet.")
    var out = "var/chaos"
    @Option(help: "Only these faults, separated by commas; --list tells their names.")
    var only: String?
    @Flag(help: "List the faults.")
    var list = false
    @Option(name: .customLong("dispatcherd"), help: "The dispatcherd program; the one beside agentsim by itself.")
    var dispatcherd: String?
    @Option(name: .customLong("server-user"), help: "Whom PostgreSQL runs as where we are root.")
    var serverUser = "postgres"
    @Option(help: "The folder with zones.csv, schedules.csv and infonavit-2023.yaml.")
    var policies = "policies"
    @Flag(help: "The result as JSON.")
    var json = false

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        if list {
            for fault in ChaosFault.allCases {
                Terminal.out(
                    fault.rawValue + String(repeating: " ", count: max(1, 18 - fault.rawValue.count)) + fault.title)
            }
            return
        }
        progress.apply()
        let report: ChaosReport
        if json {
            Interruption.answer(
                with: ChaosReport.json(
                    of: SimulationFailure(.environment, "interrupted", remedy: "rm -r \(out), and the same command"),
                    seed: seed))
        }
        do {
            report = try await played()
        } catch {
            Interruption.answer(with: nil)
            if json { Terminal.out(ChaosReport.json(of: error, seed: seed)) }
            throw error
        }
        Interruption.answer(with: nil)
        Terminal.out(json ? try report.jsonText() : report.text)
        guard report.failures.isEmpty else {
            throw SimulationFailure(
                .findings, report.failures.joined(separator: "; "), remedy: "The logs are in \(out)")
        }
    }

    private func played() async throws -> ChaosReport {
        try check("--seconds", seconds, 5...86_400)
        try check("--nodes", nodes, 1...8)
        try check("--agencies", agencies, 1...29)
        try check("--accounts", accounts, 1_000...10_000_000)
        var settings = ChaosSettings(
            folder: out, program: dispatcherd ?? ChildProcess.sibling("dispatcherd"), policies: policies)
        settings.seed = seed
        settings.duration = .seconds(seconds)
        settings.nodes = nodes
        settings.agencies = agencies
        settings.accounts = accounts
        settings.serverAccount = serverUser
        if let only {
            settings.faults = try only.split(separator: ",").map { name in
                guard let fault = ChaosFault(rawValue: String(name)) else {
                    throw SimulationFailure(
                        .usage, "there is no fault \(name)", remedy: "agentsim chaos --list tells their names")
                }
                return fault
            }
            guard !settings.faults.isEmpty else {
                throw SimulationFailure(
                    .usage, "--only names no fault",
                    remedy: "agentsim chaos --list tells their names; without --only it drives all of them")
            }
        }
        return try await ChaosRun(settings).run { Terminal.step($0) }
    }

    private func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw SimulationFailure(
                .usage, "\(option) is \(value)", remedy: "It takes \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
