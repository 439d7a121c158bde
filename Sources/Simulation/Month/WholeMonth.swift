// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Glibc

/// A whole month by one command: a portfolio, a daemon with its database, the agencies, the reviewers, the close and the judge. All of
/// it by the programs, the protocol and the database that are used in earnest.
package struct WholeMonth: Sendable {
    package struct Settings: Sendable {
        /// Everything comes to lie here; it has to be empty or missing.
        package var folder: String
        package var specification: PortfolioSpecification
        /// The dispatcherd program.
        package var program: String
        /// A database made for this; without one a private server in the folder.
        package var database: String?
        package var policy: String?
        package var schedules: String
        package var profiles: ProfileFile?
        /// The last day that is played; the month's by itself. What follows the month is left out where it ends earlier.
        package var lastDay: LocalDate?

        package init(
            folder: String, specification: PortfolioSpecification, program: String, schedules: String
        ) {
            self.folder = folder
            self.specification = specification
            self.program = program
            self.schedules = schedules
        }
    }

    /// What a step said, and how long it took.
    package struct Step: Sendable {
        package let title: String
        package let said: String
        package let seconds: Double
    }

    private let settings: Settings
    private var period: Period { settings.specification.period }
    private var inputs: String { "\(settings.folder)/portfolio" }
    private var clients: String { "\(settings.folder)/clients" }

    package init(_ settings: Settings) { self.settings = settings }

    /// - Parameter progress: called after each step.
    /// - Returns: what the judge found; `nil` where the month was not played to its end.
    package func run(progress: (Step) -> Void) async throws -> VerdictReport? {
        try prepareFolder()
        let daemon = DaemonProgram(path: settings.program, options: options)
        defer { if settings.database == nil { _ = try? daemon.call(["database", "stop"]) } }
        try step(
            "portfolio of \(settings.specification.accounts) accounts, seed \(settings.specification.seed)", progress
        ) {
            _ = try PortfolioFolder(settings.specification).write(to: inputs) { _ in }
            return ""
        }
        try open(daemon, progress)
        try await play(daemon, progress)
        guard lastDay == period.lastDay else { return nil }
        return try close(daemon, progress)
    }

    private var lastDay: LocalDate { min(settings.lastDay ?? period.lastDay, period.lastDay) }

    private var options: [String] {
        let place = settings.database.map { ["--database", $0] } ?? ["--data-dir", "\(settings.folder)/postgres"]
        return place + ["--config", "\(settings.folder)/reparto.yaml"]
    }

    private func prepareFolder() throws(SimulationFailure) {
        try Folder.make(settings.folder)
        guard try Folder.names(in: settings.folder).isEmpty else {
            throw SimulationFailure(
                .usage, "\(settings.folder) is not empty", remedy: "Name a new folder with --out, or remove that one")
        }
        guard Folder.exists(settings.schedules) else {
            throw SimulationFailure(
                .usage, "there is no file \(settings.schedules)", remedy: "Name the schedules of fees with --schedules")
        }
        let file = try FileOutput(path: "\(settings.folder)/reparto.yaml")
        // One person plays them all, and what comes back is dealt again by a step that shows.
        try file.write(
            """
            closing: {two-persons: false}
            deal: {again-hours: 0}
            ledger: {key-file: \(settings.folder)/ledger.key}

            """.utf8)
    }

    private func step(
        _ title: String, _ progress: (Step) -> Void, _ work: () throws -> String
    ) rethrows {
        let start = ContinuousClock.now
        let said = try work()
        progress(Step(title: title, said: said, seconds: Self.seconds(since: start)))
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    // MARK: The parts of a month

    private func open(_ daemon: DaemonProgram, _ progress: (Step) -> Void) throws {
        func call(_ title: String, _ words: String...) throws {
            try step(title, progress) { try daemon.call(words) }
        }
        let month = "\(period)"
        if settings.database == nil { try call("private PostgreSQL", "database", "start") }
        try call("clock", "clock", "set", "\(period.firstDay)T06:00Z")
        // It is asked for by its path, which the settings name already.
        try call("key of the ledger", "ledger", "key", "new", "\(settings.folder)/ledger.key")
        try call("zones", "import", "zones", "\(inputs)/zones.csv", "--period", month)
        try call("schedules", "import", "schedules", settings.schedules, "--period", month)
        try call("contracts", "import", "contracts", "\(inputs)/contracts.csv", "--period", month)
        try call("agencies' keys", "agency", "key", "add", "--file", "\(inputs)/keys.csv")
        try call("cut", "import", "cut", "\(inputs)/cut.csv", "--period", month)
        if try Table(path: "\(inputs)/facts-opening.csv", required: ["fact"]).rows.count > 0 {
            try call("opening facts", "import", "facts", "\(inputs)/facts-opening.csv", "--period", month)
        }
        let policy = settings.policy.map { ["--policy", $0] } ?? []
        try step("segmentation", progress) { try daemon.call(["segment", "--period", month] + policy) }
        try call("plan", "plan", "apply", "--period", month)
    }

    private func play(_ daemon: DaemonProgram, _ progress: (Step) -> Void) async throws {
        let ready = "\(settings.folder)/dispatcherd.ready"
        let server = try BackgroundProcess(
            settings.program, ["serve", "--port", "0", "--ready-file", ready] + options,
            output: "\(settings.folder)/dispatcherd.log")
        defer { server.stop() }
        let port = try port(ready, server)
        let middle = period.firstDay.advanced(byDays: 14)
        try await run(port, period.firstDay...min(middle, lastDay), progress)
        guard lastDay > middle else { return }
        let month = "\(period)"
        try step("stops", progress) { try daemon.call(["import", "stops", "\(inputs)/stops.csv", "--period", month]) }
        try step("starts", progress) {
            try daemon.call(["import", "starts", "\(inputs)/starts.csv", "--period", month])
        }
        try step("dealing again", progress) {
            try daemon.call(["plan", "rebalance", "--period", month, "--left-over"])
        }
        try await run(port, middle.advanced(byDays: 1)...lastDay, progress)
    }

    private func port(_ ready: String, _ server: BackgroundProcess) throws -> Int {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while server.isAlive(), ContinuousClock.now < deadline {
            if Folder.exists(ready) {
                let words = try Folder.text(ready).split(whereSeparator: \.isWhitespace)
                if let port = words.last.flatMap({ Int($0) }) { return port }
            }
            usleep(20_000)
        }
        throw SimulationFailure(
            .environment, "dispatcherd does not listen", remedy: "Its log is \(settings.folder)/dispatcherd.log")
    }

    private func run(_ port: Int, _ days: ClosedRange<LocalDate>, _ progress: (Step) -> Void) async throws {
        var month = MonthSettings(
            port: port, keysFolder: "\(inputs)/keys", contractsPath: "\(inputs)/contracts.csv", logFolder: clients,
            from: days.lowerBound, to: days.upperBound, seed: settings.specification.seed,
            program: DaemonProgram(path: settings.program, options: options))
        month.profiles = settings.profiles
        let start = ContinuousClock.now
        let (counts, payments) = try await MonthRun(month).run { _, _ in }
        progress(
            Step(
                title: "agencies, \(days.lowerBound) to \(days.upperBound)",
                said:
                    "\(Terminal.grouped(counts.accounts)) accounts leased, \(Terminal.grouped(counts.reports)) reports, "
                    + "\(Terminal.grouped(payments)) payments", seconds: Self.seconds(since: start)))
    }

    private func close(_ daemon: DaemonProgram, _ progress: (Step) -> Void) throws -> VerdictReport {
        func call(_ title: String, _ words: String...) throws {
            try step(title, progress) { try daemon.call(words) }
        }
        let folder = settings.folder
        let month = "\(period)"
        try call("payments", "import", "payments", "\(clients)/payments.csv", "--period", month)
        try call("facts", "import", "facts", "\(inputs)/facts.csv", "--period", month)
        try call("pending reviews", "review", "list", "--pending", "--csv", "\(folder)/pending.csv", "--period", month)
        try step("reviewers", progress) {
            let pending = try Table(path: "\(folder)/pending.csv", required: Reviewers.required)
            let counts = try Reviewers(seed: settings.specification.seed).review(pending, to: "\(folder)/reviews.csv")
            return "\(Terminal.grouped(counts.approved)) approved, \(Terminal.grouped(counts.rejected)) rejected"
        }
        try call("reviews", "review", "import", "\(folder)/reviews.csv")
        // The ninth of the next month is behind every deadline of reviews.
        try call("clock", "clock", "set", "\(period.lastDay.advanced(byDays: 9))T06:00Z")
        try call("close", "close", "--period", month, "--out", "\(folder)/month")
        try call("ledger", "ledger", "verify")
        let start = ContinuousClock.now
        let address = try settings.database ?? daemon.databaseURL()
        let verdict = try Verification(database: address, logFolder: clients, period: period).run { _, _ in }
        progress(Step(title: "judge", said: "", seconds: Self.seconds(since: start)))
        return verdict
    }
}

extension DaemonProgram {
    /// Runs a command with the options of this daemon.
    ///
    /// - Returns: the last line that it printed.
    func call(_ words: [String]) throws(SimulationFailure) -> String {
        let (code, text) = try ChildProcess.run(path, words + options)
        let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
        guard code == 0 else {
            let said = lines.last.map(String.init) ?? "without a word"
            throw SimulationFailure(
                code == 1 ? .findings : .environment,
                "dispatcherd \(words.prefix(2).joined(separator: " ")) ended with \(code): \(said)",
                remedy: "Run it by hand: dispatcherd \((words + options).joined(separator: " "))")
        }
        return lines.last.map(String.init) ?? ""
    }
}
