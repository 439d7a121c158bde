// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Glibc

/// A whole month by one command, or several in a row: a portfolio, a daemon with its database, the agencies, the reviewers, the close
/// and the judge. All of it by the programs, the protocol and the database that are used in earnest.
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
        /// How many months in a row, 1...5; each is closed on the ninth of the one behind it, while that one is played.
        package var months = 1

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
    private var first: Period { settings.specification.period }
    private var inputs: String { "\(settings.folder)/portfolio" }
    private var clients: String { "\(settings.folder)/clients" }

    package init(_ settings: Settings) { self.settings = settings }

    /// - Parameter progress: called after each step.
    /// - Returns: what the judge found; `nil` where the month was not played to its end.
    package func run(progress: (Step) -> Void) async throws -> VerdictReport? {
        let lock = try prepareFolder()
        defer { lock.release() }
        let leftovers = try ProcessGuard(
            name: "\(settings.folder) \(getpid())",
            .stop(then: settings.database == nil ? [settings.program, "database", "stop"] + options : []))
        Interruption.say(
            "interrupted; what this month had started is stopped, and what was played so far stays in \(settings.folder). "
                + MonthFolder.remedy(settings.folder, hasServer: settings.database == nil))
        var daemon = DaemonProgram(path: settings.program, options: options, environment: leftovers.mark)
        daemon.record = "\(settings.folder)/steps.log"
        // Whatever the environment says, in which settings go before those of a file.
        daemon.hasSettings = false
        defer {
            if settings.database == nil { _ = try? daemon.call(["database", "stop"]) }
            leftovers.release()
        }
        // Before all that is undone above: whoever interrupts us ends what it needs, and then the program.
        defer { Interruption.yieldToLeaving() }
        try step(
            "portfolio of \(settings.specification.accounts) accounts, seed \(settings.specification.seed)", progress
        ) {
            _ = try PortfolioFolder(settings.specification).write(to: inputs) { _ in }
            return ""
        }
        for number in 0..<settings.months {
            let period = first.advanced(byMonths: number)
            try open(period, daemon, progress)
            try await play(period, daemon, progress)
            guard lastDay(of: period) == period.lastDay else { return nil }
            try end(period, daemon, progress)
        }
        let last = first.advanced(byMonths: settings.months - 1)
        try close(last, daemon, progress)
        return try judge(last, daemon, progress)
    }

    private func lastDay(of period: Period) -> LocalDate { min(settings.lastDay ?? period.lastDay, period.lastDay) }

    /// A file of the portfolio: the first month's have no month in their names.
    private func input(_ name: String, _ period: Period) -> String {
        "\(inputs)/\(name)\(period == first ? "" : "-\(period)").csv"
    }

    /// That of `dispatcherd segment` without --policy.
    private static let usualPolicy = "policies/infonavit-2023.yaml"

    /// What `plan apply` says where nothing is placed.
    private static let nothingToPlan = "there is nothing to plan"

    private var options: [String] {
        let place = settings.database.map { ["--database", $0] } ?? ["--data-dir", "\(settings.folder)/postgres"]
        return place + ["--config", "\(settings.folder)/reparto.yaml"]
    }

    /// What is read has to be there before anything is made.
    private func prepareFolder() throws(SimulationFailure) -> FolderLock {
        for (path, option, what) in [
            (settings.schedules, "--schedules", "the schedules of fees"),
            (settings.policy ?? Self.usualPolicy, "--policy", "the policy"),
            (settings.program, "--dispatcherd", "the program dispatcherd"),
        ] where !Folder.exists(path) {
            throw SimulationFailure(
                .usage, "there is no file \(path)",
                remedy: "Name \(what) with \(option), or run the command in the folder of the clone")
        }
        let agencies = Set(
            ContractMaker(specification: settings.specification).contracts().compactMap { AgencyID(Int32($0.agency)) })
        try settings.profiles?.require(agencies, path: "a portfolio of \(settings.specification.agencies) agencies")
        try MonthFolder.requireUnused(settings.folder)
        try Folder.make(settings.folder)
        let lock = try FolderLock(settings.folder, option: "--out")
        let mark = try FileOutput(path: "\(settings.folder)/\(MonthFolder.mark)")
        try mark.write("a month of 'agentsim month': all of this folder is made by it\n".utf8)
        let file = try FileOutput(path: "\(settings.folder)/reparto.yaml")
        // Whole paths: the file is read from wherever the month is gone on with.
        let place = Folder.absolute(settings.folder)
        // One person plays them all, and what comes back is dealt again by a step that shows.
        try file.write(
            """
            closing: {two-persons: false}
            contact: {key-file: \(place)/contact.key}
            deal: {again-hours: 0}
            ledger: {key-file: \(place)/ledger.key}

            """.utf8)
        return lock
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

    private func open(_ period: Period, _ daemon: DaemonProgram, _ progress: (Step) -> Void) throws {
        func call(_ title: String, _ words: String...) throws {
            try step(title, progress) { try daemon.call(words) }
        }
        let month = "\(period)"
        if period == first, settings.database == nil { try call("private PostgreSQL", "database", "start") }
        try call("clock", "clock", "set", "\(period.firstDay)T06:00Z")
        if period == first {
            // It is asked for by its path, which the settings name already.
            try call("key of the ledger", "ledger", "key", "new", "\(settings.folder)/ledger.key")
            try step("key of contact data", progress) {
                try daemon.call(["contacts", "new-key", "\(settings.folder)/contact.key"], takesDatabase: false)
            }
            try call("zones", "import", "zones", "\(inputs)/zones.csv", "--period", month)
            try call("schedules", "import", "schedules", settings.schedules, "--period", month)
            try call("contracts", "import", "contracts", "\(inputs)/contracts.csv", "--period", month)
            try call("agencies' keys", "agency", "key", "add", "--file", "\(inputs)/keys.csv")
        }
        try call("cut of \(period)", "import", "cut", input("cut", period), "--period", month)
        if try Table(path: input("facts-opening", period), required: ["fact"]).rows.count > 0 {
            try call("opening facts", "import", "facts", input("facts-opening", period), "--period", month)
        }
        // A portfolio of a few accounts may have nobody to be worked.
        let hasContacts =
            try period == first && Folder.text("\(inputs)/contacts.csv").split(separator: "\n", maxSplits: 1).count > 1
        if hasContacts { try call("contact data", "contacts", "load", "\(inputs)/contacts.csv") }
        let policy = settings.policy.map { ["--policy", $0] } ?? []
        try step("segmentation", progress) { try daemon.call(["segment", "--period", month] + policy) }
        do {
            try call("plan", "plan", "apply", "--period", month)
        } catch let failure as SimulationFailure where failure.found.contains(Self.nothingToPlan) {
            throw SimulationFailure(
                .usage,
                "the policy places none of the \(Terminal.grouped(settings.specification.accounts)) accounts, so there is no month to play",
                remedy:
                    "Play more with --accounts, or another policy with --policy; \(MonthFolder.remedy(settings.folder, hasServer: settings.database == nil))"
            )
        }
    }

    private func play(_ period: Period, _ daemon: DaemonProgram, _ progress: (Step) -> Void) async throws {
        let ready = "\(settings.folder)/dispatcherd.ready"
        if Folder.exists(ready) { unlink(ready) }
        let server = try BackgroundProcess(
            settings.program, ["serve", "--port", "0", "--ready-file", ready] + options,
            output: "\(settings.folder)/dispatcherd.log", environment: daemon.environment, hasSettings: false)
        defer { server.stop() }
        let port = try port(ready, server)
        var begin = period.firstDay
        if period != first {
            // What agencies told late of the month before has come by then, and every review.
            let eighth = begin.advanced(byDays: 7)
            try await run(port, begin...eighth, daemon, progress)
            try close(period.advanced(byMonths: -1), daemon, progress)
            begin = eighth.advanced(byDays: 1)
        }
        let middle = period.firstDay.advanced(byDays: 14)
        let lastDay = lastDay(of: period)
        try await run(port, begin...min(middle, lastDay), daemon, progress)
        guard lastDay > middle else { return }
        let month = "\(period)"
        try step("stops", progress) { try daemon.call(["import", "stops", input("stops", period), "--period", month]) }
        try step("starts", progress) {
            try daemon.call(["import", "starts", input("starts", period), "--period", month])
        }
        try step("dealing again", progress) {
            try daemon.call(["plan", "rebalance", "--period", month, "--left-over"])
        }
        try await run(port, middle.advanced(byDays: 1)...lastDay, daemon, progress)
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

    private func run(
        _ port: Int, _ days: ClosedRange<LocalDate>, _ daemon: DaemonProgram, _ progress: (Step) -> Void
    ) async throws {
        var month = MonthSettings(
            port: port, keysFolder: "\(inputs)/keys", contractsPath: "\(inputs)/contracts.csv", logFolder: clients,
            from: days.lowerBound, to: days.upperBound, seed: settings.specification.seed,
            program: daemon)
        month.profiles = settings.profiles
        let start = ContinuousClock.now
        let (counts, payments) = try await MonthRun(month).run { day, _ in Terminal.progress("agencies, \(day)") }
        progress(
            Step(
                title: "agencies, \(days.lowerBound) to \(days.upperBound)",
                said:
                    "\(Terminal.counted(counts.accounts, "lease")), \(Terminal.counted(counts.reports, "report")), "
                    + "\(Terminal.counted(payments.ofRun, "payment"))", seconds: Self.seconds(since: start)))
    }

    /// What comes on a month's last evening: the feed of payments, supervision's facts, the reviews.
    private func end(_ period: Period, _ daemon: DaemonProgram, _ progress: (Step) -> Void) throws {
        func call(_ title: String, _ words: String...) throws {
            try step(title, progress) { try daemon.call(words) }
        }
        let month = "\(period)"
        let payments = "\(settings.folder)/payments-\(period).csv"
        let (pending, reviews) = (
            "\(settings.folder)/pending-\(period).csv", "\(settings.folder)/reviews-\(period).csv"
        )
        try PaymentFeed.write(period, of: clients, to: payments)
        try call("payments of no agency's", "import", "payments", input("payments", period), "--period", month)
        try call("payments", "import", "payments", payments, "--period", month)
        try call("facts", "import", "facts", input("facts", period), "--period", month)
        // As a demo does: what needs no review is settled, one in a hundred of it is drawn for one.
        try call(
            "review check", "review", "check", "--period", month, "--sample", "1", "--seed",
            "\(settings.specification.seed)", "--by", "agentsim")
        try call("pending reviews", "review", "list", "--pending", "--csv", pending, "--period", month)
        try step("reviewers", progress) {
            let table = try Table(path: pending, required: Reviewers.required)
            let counts = try Reviewers(seed: settings.specification.seed).review(table, to: reviews)
            return "\(Terminal.grouped(counts.approved)) approved, \(Terminal.grouped(counts.rejected)) rejected"
        }
        try call("reviews", "review", "import", reviews)
    }

    private func close(_ period: Period, _ daemon: DaemonProgram, _ progress: (Step) -> Void) throws {
        func call(_ title: String, _ words: String...) throws {
            try step(title, progress) { try daemon.call(words) }
        }
        // The ninth of the next month is behind every deadline of reviews.
        try call("clock", "clock", "set", "\(period.lastDay.advanced(byDays: 9))T06:00Z")
        let folder = settings.months == 1 ? "month" : "month-\(period)"
        try call("close of \(period)", "close", "--period", "\(period)", "--out", "\(settings.folder)/\(folder)")
    }

    private func judge(
        _ period: Period, _ daemon: DaemonProgram, _ progress: (Step) -> Void
    ) throws -> VerdictReport {
        try step("ledger", progress) { try daemon.call(["ledger", "verify"]) }
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
    /// - Parameter takesDatabase: whether it has options at all.
    /// - Returns: the last line that it printed.
    func call(_ words: [String], takesDatabase: Bool = true) throws(SimulationFailure) -> String {
        let options = takesDatabase ? options : []
        let (code, text) = try ChildProcess.run(
            path, words + options, environment: environment, hasSettings: hasSettings)
        if let record { try Folder.append("$ dispatcherd \(words.joined(separator: " "))\n\(text)\n", to: record) }
        let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
        guard code == 0 else {
            let said = Self.lastWords(text)
            throw SimulationFailure(
                SimulationFailure.Exit(rawValue: code) ?? .environment,
                "dispatcherd \(words.prefix(2).joined(separator: " ")) ended with \(code): \(said)",
                remedy: "Run it by hand: dispatcherd \((words + options).joined(separator: " "))")
        }
        return lines.last.map { String($0.drop(while: \.isWhitespace)) } ?? ""
    }
}
