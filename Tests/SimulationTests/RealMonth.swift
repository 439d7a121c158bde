// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
import Glibc
import PgStore
import Simulation
import TestSupport
import Testing

/// A small month as users run it: the programs of this build, their files and their protocol, from the cut to the statements.
struct RealMonth {
    let database: TestDatabase
    /// The same for a role without rights on the schema, which plays all of it.
    let service: TestDatabase
    /// The clients' logs.
    let logs: String
    /// The portfolio's files.
    let inputs: String

    /// - Parameter accounts: of the cut; a month of 1,500 has some 300 placed ones.
    static func with(accounts: Int, _ body: (RealMonth) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let folder = try TemporaryFolder()
            let month = try RealMonth(
                database: database, service: database.asService(), logs: folder.path + "/clients", inputs: folder.path)
            try await month.play(accounts: accounts, folder.path)
            try await body(month)
            withExtendedLifetime(folder) {}
        }
    }

    private func dispatcherd(_ words: String...) throws {
        let (code, text) = try ChildProcess.run(
            ChildProcess.sibling("dispatcherd"),
            words + ["--database", service.conninfo, "--allow-unsafe-durability"])
        guard code == 0 else { throw SimulationFailure(.environment, "\(words): \(text)", remedy: "") }
    }

    private func play(accounts: Int, _ folder: String) async throws {
        let period = try #require(Period(text: "2024-03"))
        let specification = try PortfolioSpecification(
            accounts: accounts, seed: 7, period: period, agencies: 29, contracts: 88, zones: ZoneMap())
        _ = try PortfolioFolder(specification).write(to: folder) { _ in }
        try dispatcherd("ledger", "key", "new", "\(folder)/ledger.key")
        setenv("REPARTO_LEDGER_KEY_FILE", "\(folder)/ledger.key", 1)
        setenv("REPARTO_CLOSING_TWO_PERSONS", "false", 1)
        defer {
            unsetenv("REPARTO_LEDGER_KEY_FILE")
            unsetenv("REPARTO_CLOSING_TWO_PERSONS")
        }
        func take(_ kind: String, _ path: String) throws {
            try dispatcherd("import", kind, path, "--period", "2024-03")
        }
        try take("zones", "\(folder)/zones.csv")
        try take("schedules", "\(Checkout.root)/policies/schedules.csv")
        try take("contracts", "\(folder)/contracts.csv")
        try dispatcherd("agency", "key", "add", "--file", "\(folder)/keys.csv")
        try take("cut", "\(folder)/cut.csv")
        try take("facts", "\(folder)/facts-opening.csv")
        try dispatcherd("segment", "--period", "2024-03", "--policy", "\(Checkout.root)/policies/infonavit-2023.yaml")
        try dispatcherd("plan", "apply", "--period", "2024-03")
        try await work(folder)
        try dispatcherd("clock", "set", "2024-03-31T20:00Z")
        try take("payments", "\(logs)/payments.csv")
        try take("facts", "\(folder)/facts.csv")
        try dispatcherd("review", "check", "--period", "2024-03", "--by", "agentsim")
        try dispatcherd("review", "list", "--pending", "--csv", "\(folder)/pending.csv", "--period", "2024-03")
        _ = try Reviewers(seed: 7).review(
            try Table(path: "\(folder)/pending.csv", required: Reviewers.required), to: "\(folder)/reviews.csv")
        try dispatcherd("review", "import", "\(folder)/reviews.csv")
        try dispatcherd("clock", "set", "2024-04-09T06:00Z")
        try dispatcherd("close", "--period", "2024-03", "--out", "\(folder)/month")
    }

    /// A node and its agencies in the first twelve days of the month, with the stops in between.
    private func work(_ folder: String) async throws {
        let node = try ServingNode(service.conninfo, readyFile: folder + "/ready", log: folder + "/node.log")
        defer { node.stop() }
        let port = try node.port()
        // The second is the command of a run that was stopped: the days that the clock has passed are not lived again.
        for (from, to) in [("2024-03-04", "2024-03-08"), ("2024-03-04", "2024-03-15")] {
            let settings = MonthSettings(
                port: port, keysFolder: folder + "/keys", contractsPath: folder + "/contracts.csv", logFolder: logs,
                from: try #require(LocalDate(text: from)), to: try #require(LocalDate(text: to)), seed: 7,
                program: DaemonProgram(
                    path: ChildProcess.sibling("dispatcherd"),
                    options: ["--database", service.conninfo, "--allow-unsafe-durability"]))
            _ = try await MonthRun(settings).run { _, _ in }
            if to == "2024-03-08" {
                // Some of them are of before the clock, which is the twelfth of the month at most.
                try dispatcherd("import", "stops", "\(folder)/stops.csv", "--period", "2024-03", "--accept-good")
            }
        }
    }
}

/// `dispatcherd serve` as a process of its own, ended with its test.
private struct ServingNode {
    private let process: pid_t
    private let readyFile: String
    private let log: String

    init(_ conninfo: String, readyFile: String, log: String) throws {
        self.readyFile = readyFile
        self.log = log
        // The shell ends at once and leaves the node to us.
        let script =
            #""$0" serve --port 0 --ready-file "$1" --database "$2" --allow-unsafe-durability >"$3" 2>&1 & echo $!"#
        let words = ["-c", script, ChildProcess.sibling("dispatcherd"), readyFile, conninfo, log]
        process = try #require(pid_t(try ChildProcess.run("/bin/sh", words).text.filter(\.isNumber)))
    }

    func port() throws -> Int {
        for _ in 0..<300 {
            if let text = try? Folder.text(readyFile), let word = text.split(separator: " ").last,
                let port = Int(word.filter(\.isNumber))
            {
                return port
            }
            usleep(50_000)
        }
        throw SimulationFailure(.environment, (try? Folder.text(log)) ?? "the node does not listen", remedy: "")
    }

    func stop() {
        kill(process, SIGTERM)
        for _ in 0..<100 where kill(process, 0) == 0 { usleep(50_000) }
    }
}
