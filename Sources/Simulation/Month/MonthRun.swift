// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment

/// Where and when the agencies of a run work.
package struct MonthSettings: Sendable {
    package var host = "127.0.0.1"
    package var port: Int
    /// More nodes on the same database.
    package var otherPorts: [Int] = []
    package var keysFolder: String
    package var contractsPath: String
    package var logFolder: String
    package var from: LocalDate
    package var to: LocalDate
    package var seed: UInt64
    package var program: DaemonProgram
    package var tls: WireTLS?
    /// Which agency behaves how; `nil`: as the seed draws.
    package var profiles: ProfileFile?

    package init(
        port: Int, keysFolder: String, contractsPath: String, logFolder: String, from: LocalDate, to: LocalDate,
        seed: UInt64,
        program: DaemonProgram
    ) {
        self.port = port
        self.keysFolder = keysFolder
        self.contractsPath = contractsPath
        self.logFolder = logFolder
        self.from = from
        self.to = to
        self.seed = seed
        self.program = program
    }

    /// - Returns: what is to be known: the nodes, out of several, at which nobody listens.
    /// - Throws: ``SimulationFailure`` where nobody listens at any of the ports.
    package func reachable() throws(SimulationFailure) -> [String] {
        var failures: [SimulationFailure] = []
        let ports = [port] + otherPorts
        for port in ports {
            do { try Reachability.check(host: host, port: port) } catch { failures.append(error) }
        }
        if let failure = failures.first, failures.count == ports.count { throw failure }
        return failures.map { "\($0.found): the agencies work over the others" }
    }
}

/// Plays the agencies over the real protocol, day by day, under the virtual clock.
package struct MonthRun: Sendable {
    /// Keys and sequence numbers that a save leaves unused: more than a day of any agency needs.
    private static let margin: Int64 = 100_000
    private static let instance = "sim"
    let settings: MonthSettings

    package init(_ settings: MonthSettings) { self.settings = settings }

    /// - Parameter progress: called after each virtual day with the day, and the counts of it.
    /// - Returns: the counts of the run, and its payments.
    package func run(
        progress: (LocalDate, MonthCounts) -> Void
    ) async throws -> (counts: MonthCounts, payments: MonthPayments) {
        // Before anything is written: a daemon that is not there leaves nothing behind.
        _ = try settings.reachable()
        try Folder.make(settings.logFolder)
        let lock = try FolderLock(settings.logFolder)
        defer { lock.release() }
        let agencies = try agencies()
        let feed = PaymentFeed(folder: settings.logFolder)
        var total = MonthCounts()
        var day = MonthCounts()
        guard let clock = try settings.program.virtualNow() else {
            throw SimulationFailure(
                .usage, "the database keeps real time, and a simulated month needs a virtual clock",
                remedy: "Set it with 'dispatcherd clock set \(settings.from)T06:00Z' on a database made for simulation")
        }
        // Before anything is sent: a run that is killed on its first day must not use its keys twice either.
        try await save(agencies, margin: Self.margin)
        for agency in agencies { try await agency.signIn() }
        let ticks = Tick.of(settings.from.daysSince1970...settings.to.daysSince1970)
        // What a run that was stopped had lived is not lived again: the same command goes on from there.
        let lived = ticks.prefix { $0.now < clock }.count
        guard lived < ticks.count else {
            throw SimulationFailure(
                .usage, "the clock shows \(clock), which is after the run's last day, \(settings.to)",
                remedy: "Go on with later days, or play a new month on an empty database")
        }
        for (index, tick) in ticks.enumerated().dropFirst(lived) {
            try settings.program.setClock(tick.now)
            var counts = try await act(agencies, tick)
            total.add(counts)
            total.held = counts.held
            swap(&counts.held, &day.held)
            counts.held = 0
            day.add(counts)
            guard !index.isMultiple(of: 2) else { continue }
            var payments: [PlannedPayment] = []
            for agency in agencies { payments += await agency.takePayments(through: tick.day) }
            // Before the states that have them no more: a run that is killed in between writes the same ones again.
            try feed.write(payments, of: tick.day)
            try await save(agencies, margin: index + 1 == ticks.count ? 0 : Self.margin)
            progress(tick.day, day)
            day = MonthCounts()
        }
        for agency in agencies { await agency.leave() }
        return (total, MonthPayments(ofRun: feed.payments, all: feed.all))
    }

    private func act(_ agencies: [SimulatedAgency], _ tick: Tick) async throws -> MonthCounts {
        try await withThrowingTaskGroup(of: MonthCounts.self) { group in
            for agency in agencies { group.addTask { try await agency.act(tick) } }
            var counts = MonthCounts()
            for try await part in group { counts.add(part) }
            return counts
        }
    }

    private func agencies() throws -> [SimulatedAgency] {
        let book = try ContractBook(path: settings.contractsPath)
        guard let instance = Token(Self.instance) else { return [] }
        try settings.profiles?.require(Set(book.posts.keys), path: settings.contractsPath)
        let closedContacts = ClosedContacts()
        return try book.posts.keys.sorted().map { agency in
            let behaviour =
                settings.profiles?.behaviour(of: agency, seed: settings.seed)
                ?? .drawn(seed: settings.seed, agency: agency)
            let key = try AgencyKey(path: "\(settings.keysFolder)/\(agency).key")
            guard let secret = AgencyPrivateKey(bytes: key.secret) else {
                throw SimulationFailure(
                    .usage, "the key of \(agency) is not an Ed25519 key", remedy: "Make the portfolio again")
            }
            let state = try state(agency)
            return SimulatedAgency(
                state, posts: book.posts[agency] ?? [], seed: settings.seed, period: settings.from.period,
                behaviour: behaviour,
                link: AgencyLink(
                    host: settings.host, ports: [settings.port] + settings.otherPorts, agency: agency,
                    instance: instance, key: secret, sequence: state.sequence, tls: settings.tls,
                    isCloned: behaviour.cheat == .clonedClient),
                log: try AgencyLog(folder: settings.logFolder, agency: agency, instance: Self.instance),
                closedContacts: closedContacts)
        }
    }

    private func state(_ agency: AgencyID) throws(SimulationFailure) -> AgencyState {
        let path = "\(settings.logFolder)/\(agency).state"
        return Folder.exists(path)
            ? try AgencyState(text: try Folder.text(path), path: path) : AgencyState(agency: agency)
    }

    private func save(_ agencies: [SimulatedAgency], margin: Int64) async throws {
        for agency in agencies {
            let file = try FileOutput(replacing: "\(settings.logFolder)/\(agency.agency).state")
            try file.write(await agency.stateText(margin: margin).utf8)
            try file.finish()
        }
    }
}
