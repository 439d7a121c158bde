// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Simulation

struct PortfolioCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portfolio",
        abstract: "Make a portfolio that fits together: cut, contracts, zones, facts, starts, stops and keys.",
        discussion: """
            The same seed and sizes give the same bytes. --report prints each published aggregate beside what was drawn, and ends \
            with 1 where one is outside its tolerance; without --out nothing is written.

            Examples:
              agentsim portfolio --out in --period 2024-03
              agentsim portfolio --out in --period 2024-03 --accounts 20000 --seed 8
              agentsim portfolio --report --period 2024-03 --accounts 200000 --seed 8
              agentsim portfolio --out in --period 2024-03 --accounts 20000 --mess 5
              agentsim portfolio --out in --period 2024-03 --disaster --cuts-after 1
            """)

    @Option(help: "The folder to write into; it is made where missing.")
    var out: String?
    @Option(help: "How many accounts, 1 to 10000000.")
    var accounts = 200_000
    @Option(help: "The seed that everything is drawn from.")
    var seed: UInt64 = 7
    @Option(help: "The month, as in 2024-03.")
    var period: String
    @Option(
        help:
            "How many agencies, 3 to 20000; 29 with 88 contracts is the scale of 2023 (AGY-02), 32 with 75 the other one that is printed (AMB-03)."
    )
    var agencies = 29
    @Option(help: "How many contracts; 88, or one for each agency where that is more, by itself.")
    var contracts: Int?
    @Option(help: "A file zone,delegation; policies/zones.csv where it exists, else a map of the simulator's own.")
    var zones: String?
    @Flag(help: "Print each published aggregate: target, got, tolerance, universe.")
    var report = false
    @Flag(help: "With --report: for programs.")
    var json = false
    @Option(
        help: """
            Damage so many rows of the cut in each way, listed in planted.csv, and as many of stops, starts and payments as they \
            have rows for; damaged files are in mess/.
            """)
    var mess: Int?
    @Flag(help: "The hurricane of Guerrero came before the cut (ORA-60).")
    var disaster = false
    @Option(help: "Also the files of so many months after, 0 to 4; of the same accounts.")
    var cutsAfter = 0

    func validate() throws {
        guard out != nil || report else {
            throw ValidationError("Name a folder with --out, or ask for the figures with --report.")
        }
        guard out != "" else { throw ValidationError("--out is empty. Name a folder, such as --out in.") }
        guard !json || report else { throw ValidationError("--json goes with --report.") }
    }

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        progress.apply()
        guard let month = Period(text: period) else {
            throw SimulationFailure(.usage, "\(period) is not a month", remedy: "Write it as in 2024-03")
        }
        let map = try zoneMap()
        var specification = try PortfolioSpecification(
            accounts: accounts, seed: seed, period: month, agencies: agencies, contracts: contracts, zones: map)
        specification.hasDisaster = disaster
        specification.messTimes = mess
        specification.cutsAfter = cutsAfter
        let folder = PortfolioFolder(specification)
        if let out { try write(folder, to: out) }
        if report { try showFigures(folder) }
    }

    private func write(_ folder: PortfolioFolder, to out: String) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let total = Terminal.grouped(accounts)
        let counts = try folder.write(to: out) { done in
            Terminal.progress("accounts: \(Terminal.grouped(done)) of \(total)")
        }
        let elapsed = start.duration(to: clock.now)
        Terminal.progress("accounts: \(total) of \(total)", isDone: true)
        if !json { summary(counts, out, elapsed) }
    }

    private func showFigures(_ folder: PortfolioFolder) throws {
        Interruption.say(
            out.map {
                "interrupted; the portfolio is whole in \($0), and its figures are not told. Run the same command again."
            }
                ?? "interrupted; no figure is told, and nothing was to be written. Run the same command again.")
        let total = Terminal.grouped(accounts)
        let figures = folder.figures { Terminal.progress("figures: \(Terminal.grouped($0)) of \(total)") }
        let measured = figures.measured
        Terminal.progress("figures: \(total) of \(total)", isDone: true)
        if json {
            Terminal.out(FigureTable.json(measured))
        } else {
            Terminal.out("Published aggregates, \(total) accounts, seed \(seed):")
            for line in FigureTable.lines(measured) { Terminal.out(line) }
            Terminal.out(figures.universeLine)
            Terminal.out("Not drawn with a cut:")
            for line in UndrawnFigure.lines { Terminal.out("  \(line.what): \(line.why)") }
        }
        let outside = measured.filter { $0.verdict == .outside }.map(\.figure.id)
        guard outside.isEmpty else {
            throw SimulationFailure(
                .findings, "outside of the tolerance: \(outside.joined(separator: ", "))",
                remedy: "What is as rare as four standard errors is allowed for; tell the developers the "
                    + "seed and the size")
        }
    }

    private func zoneMap() throws -> ZoneMap {
        if let zones { return try ZoneMap(path: zones) }
        return Folder.exists("policies/zones.csv") ? try ZoneMap(path: "policies/zones.csv") : ZoneMap()
    }

    private func summary(_ counts: PortfolioFolder.Counts, _ out: String, _ elapsed: Duration) {
        func line(_ name: String, _ value: Int, _ note: String = "") {
            let figure = Terminal.grouped(value)
            let padding = String(repeating: " ", count: max(1, 34 - name.count - figure.count))
            Terminal.out("  \(name)\(padding)\(figure)\(note.isEmpty ? "" : "   \(note)")")
        }
        func share(_ value: Int) -> String {
            let permille = (value * 1_000 + counts.accounts / 2) / max(1, counts.accounts)
            return "\(permille / 10).\(permille % 10) %"
        }
        Terminal.out("Portfolio of \(period), seed \(seed), in \(out):")
        line("accounts", counts.accounts, "cut.csv")
        line(
            "mean balance, pesos",
            (counts.balanceCents + counts.accounts * 50) / max(1, counts.accounts * 100))
        line("overdue (vencido)", counts.overdue, share(counts.overdue))
        line("in VSM", counts.vsm, share(counts.vsm))
        line("excluded by the cut", counts.excluded, share(counts.excluded))
        line("meant for preventive", counts.preventive, share(counts.preventive))
        line("meant for administrative", counts.administrative, share(counts.administrative))
        line("meant for dual or mediation", counts.dual, share(counts.dual))
        line("of them with more than 9 arrears", counts.mediable)
        line("stops, by the 15th", counts.stops, "stops.csv")
        line("starts, by the 15th", counts.starts, "starts.csv")
        line("payments of no agency's", counts.payments, "payments.csv")
        line("debtors with contact data", counts.contacts, "contacts.csv")
        line("contracts", counts.contracts, "contracts.csv, \(counts.contractLines) rows")
        line("facts", counts.facts, "facts-opening.csv, facts.csv")
        line("agencies' keys", counts.keys, "keys.csv, keys/")
        if mess != nil {
            line("damaged rows", counts.planted.values.reduce(0, +), "planted.csv; whole files in mess/")
        }
        let (seconds, attoseconds) = elapsed.components
        let milliseconds = max(1, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
        Terminal.out(
            "Took \(milliseconds) ms, \(Terminal.grouped(counts.accounts * 1_000 / milliseconds)) accounts per second.")
    }
}
