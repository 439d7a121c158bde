// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A recorded month under another policy or other plan settings: which of its events would have been the same, and which nobody can
/// know.
///
/// The accounts of the recorded cut are placed and dealt anew by the engine's own rules. What was recorded of an account stands where
/// the same agency would have had it under the same strategy. Where the agency, the strategy or both would have been others, what was
/// recorded is shown, and says nothing of what would have been; where nobody would have had it, no work would have been done, and
/// whether it would have paid is unknown. Of accounts that were not leased there is no record at all. What happened within the month is
/// placed anew where the database tells of it, and dealt to nobody: who would have had room by then depends on all the rest.
package struct ReplayRun: Sendable {
    /// What became of the recorded events.
    package enum Fate: String, CaseIterable, Sendable {
        case stands = "the same agency and strategy: what was recorded stands"
        case otherAgency = "another agency: how it would have worked is not known"
        case otherStrategy = "another strategy: what it would have brought is not known"
        case nobody = "nobody: the work would not have been done, a payment may have come anyway"
        case began = "began within the month, in the same strategy: which agency would have had room is not known"
        case laterHolder = "a later holder within the month: whether it would have been dealt again is not known"
        case stopped = "dealt in the replay, stopped in the record before anybody leased it: nothing is known"
        case unrecorded = "dealt in the replay, not leased in the record: nothing is known"
    }

    package struct Sum: Sendable, Equatable {
        /// Accounts, each with its first holder alone; a later one's are beside them.
        package var accounts = 0
        package var reports = 0
        package var paying = 0
        /// Centavos, less what was taken back.
        package var paid = 0
    }

    /// Where the recorded month comes from.
    package enum Source: Sendable {
        /// A folder of clients' logs and payments.
        case logs(String)
        /// The database's connection string: all clients, starts, stops, what was dealt again.
        case database(String)
    }

    package let period: Period
    package let name: String
    /// Of the dealing.
    package let seed: UInt64
    package private(set) var sums: [Fate: Sum] = [:]
    package private(set) var recorded = Sum()
    package let placed: Int
    package let unplaced: Int
    /// Those among them that a quota would have had room for, and no bond: account by account.
    package let bonded: [Account]
    /// Accounts that somebody held when the month began: they stay with their holders, and take their room.
    package let heldOver: Int
    /// Centavos that were paid on accounts which nobody had held by then, less what was taken back. With what is recorded as paid it is what
    /// the month's feed comes to.
    package let unheldPaid: Int
    /// What a record of this kind cannot tell, a sentence each.
    package let unknown: [String]

    package struct Account: Sendable, Equatable, CustomStringConvertible {
        package let delegation: Delegation
        package let account: AccountID
        package var description: String { "\(account) in delegation \(delegation)" }
    }

    private struct Course {
        var agency: AgencyID?
        var strategy: Strategy
    }

    /// - Parameters:
    ///   - seed: of the dealing; a plan's own is its month's number.
    /// - Throws: ``SimulationFailure``; usage for files that are not there or not what they should be.
    package init(
        _ source: Source, cut: String, contracts: String, facts: String? = nil, period: Period, policy: ModelPolicy,
        seed: UInt64
    ) throws(SimulationFailure) {
        self.period = period
        self.name = policy.name
        self.seed = seed
        let record =
            switch source {
            case .logs(let folder): try MonthRecord(log: folder, period: period)
            case .database(let database): try MonthRecord(database: database, period: period)
            }
        guard !record.holdings.isEmpty else {
            throw SimulationFailure(
                .usage, "the record has no lease of \(period)", remedy: "Name a month that was played, and its record")
        }
        if case .database(let database) = source { try MonthRecord.requireCut(cut, of: period, database) }
        let world = try ModelWorld(cut: cut, contracts: contracts, facts: facts, period: period)
        let known = Set(world.accounts.map { CaseKey(delegation: $0.delegation, account: $0.account) })
        if case .logs(let folder) = source {
            try Self.requireOne(record, known, Set(world.contracts.map(\.agency)), folder, cut)
        }
        let placement = ModelPlacement(world, policy.policy)
        let heldOver = record.heldOver
        let deal = try ModelDeal(
            world, placement, policy, seed: seed, kept: Self.kept(heldOver, world, placement.placements))
        placed = deal.placed
        unplaced = deal.unplaced
        bonded = deal.bonded.map {
            Account(delegation: world.accounts[$0].delegation, account: world.accounts[$0].account)
        }
        self.heldOver = heldOver.count
        unheldPaid = record.unheldPaid
        unknown = Self.unknown(record)
        let agencies = Dictionary(world.contracts.map { ($0.contract, $0.agency) }) { first, _ in first }
        var courses: [CaseKey: Course] = [:]
        for hand in deal.hands {
            guard let agency = agencies[hand.contract] else { continue }
            for position in hand.positions {
                let account = world.accounts[position.place]
                courses[CaseKey(delegation: account.delegation, account: account.account)] = Course(
                    agency: agency, strategy: hand.pool.strategy)
            }
        }
        for (place, placed) in placement.placements.enumerated() {
            let key = CaseKey(delegation: world.accounts[place].delegation, account: world.accounts[place].account)
            guard let placed, let holding = heldOver[key] else { continue }
            courses[key] = Course(agency: holding.agency, strategy: placed.strategy)
        }
        let dealt = Set(courses.keys)
        begin(record, policy.policy, &courses)
        for (key, holdings) in record.holdings {
            for (place, holding) in holdings.enumerated() {
                let isNew = record.starts == nil && !known.contains(key)
                let fate = Self.fate(holding, courses[key], in: record)
                add(holding, to: place > 0 ? .laterHolder : isNew ? .began : fate)
            }
        }
        for key in dealt where record.holdings[key] == nil {
            sums[record.stops?[key] == nil ? .unrecorded : .stopped, default: Sum()].accounts += 1
        }
    }

    /// Logs name no portfolio: those of another one have accounts and agencies that this one has not.
    ///
    /// - Throws: ``SimulationFailure`` (usage).
    private static func requireOne(
        _ record: MonthRecord, _ known: Set<CaseKey>, _ agencies: Set<AgencyID>, _ folder: String, _ cut: String
    ) throws(SimulationFailure) {
        let remedy = "Give the portfolio that the month was played on"
        if let stranger = record.holdings.values.joined().map(\.agency).filter({ !agencies.contains($0) }).min() {
            throw SimulationFailure(
                .usage, "\(folder) is of another portfolio: \(stranger) leased, and has no contract in it",
                remedy: remedy)
        }
        try record.requireCut(cut, of: folder) { known.contains($0) }
    }

    /// What was held over the month's begin as a plan sees it. Where the record does not say by which of an agency's contracts, it is the
    /// first that works there.
    private static func kept(
        _ holdings: [CaseKey: MonthRecord.Holding], _ world: ModelWorld, _ placements: [Placement?]
    ) -> [CaseKey: ModelDeal.Kept] {
        var places: [CaseKey: Int] = [:]
        for (place, account) in world.accounts.enumerated() {
            let key = CaseKey(delegation: account.delegation, account: account.account)
            if holdings[key] != nil { places[key] = place }
        }
        var kept: [CaseKey: ModelDeal.Kept] = [:]
        for (key, holding) in holdings {
            let portfolio = holding.portfolio ?? places[key].flatMap { placements[$0]?.portfolio } ?? .telephone
            let station = Station(delegation: key.delegation, portfolio: portfolio)
            let contract = world.contracts.first { contract in
                holding.contract.map { $0 == contract.contract }
                    ?? (contract.agency == holding.agency && contract.strategies.contains(holding.strategy)
                        && contract.stations.contains(station))
            }
            guard let contract else { continue }
            let exposure = places[key].map { place in
                contract.exposure.of(
                    overdue: world.accounts[place].value(.overdue), balance: world.accounts[place].value(.balance))
            }
            kept[key] = ModelDeal.Kept(
                contract: contract.contract,
                pool: PoolKey(delegation: key.delegation, strategy: holding.strategy, portfolio: portfolio),
                exposure: holding.exposure ?? exposure ?? 0)
        }
        return kept
    }

    /// What began within the month is where the other policy puts it then.
    private func begin(_ record: MonthRecord, _ policy: Policy, _ courses: inout [CaseKey: Course]) {
        for (key, start) in record.starts ?? [:] {
            // Whoever had it before it began had it by the cut.
            if let from = record.holdings[key]?.first?.from, from < MonthRecord.instant(of: start.on) { continue }
            switch Segmenter(policy, cut: start.on).verdict(for: start.row) {
            case .placed(let placed): courses[key] = Course(agency: nil, strategy: placed.strategy)
            case .excluded, .nothingToCollect: courses[key] = nil
            }
        }
    }

    /// What was held over the month's begin keeps its holder under any policy that leaves it in its strategy.
    private static func fate(_ holding: MonthRecord.Holding, _ course: Course?, in record: MonthRecord) -> Fate {
        guard let course else { return .nobody }
        if course.strategy != holding.strategy { return .otherStrategy }
        if let from = holding.from, from < record.first { return .stands }
        guard let agency = course.agency else { return .began }
        return agency == holding.agency ? .stands : .otherAgency
    }

    private mutating func add(_ holding: MonthRecord.Holding, to fate: Fate) {
        sums[fate, default: Sum()].add(holding)
        recorded.add(holding)
        // A second holder's is no second account.
        if fate == .laterHolder { recorded.accounts -= 1 }
    }

    private static func unknown(_ record: MonthRecord) -> [String] {
        let common = [
            "how debtors would have answered another agency, or another strategy",
            "terms, returns and extensions of accounts that would have moved, and whom they would have made room for",
            "what the delegations would have rejected of other work",
        ]
        guard record.starts == nil else {
            return common + ["who would have had room for what began or was dealt again within the month"]
        }
        return common + [
            "what began or stopped within the month: logs do not say it, and 'nobody' has what began by a change of its row; "
                + "'--database' tells them apart",
            "leases of clients whose logs are not in the folder",
            "payments that no agency brought about (payments.csv of a portfolio): with '--database' they count for who had held the account, "
                + "so more accounts pay there",
            "by which of an agency's contracts it held what it held when the month began: the first that works there is taken",
        ]
    }

    /// Accounts that the text names; JSON has all.
    private static let namedMax = 20

    /// Whom bonds keep from everybody, by name; empty where they keep nobody.
    private var bondedLines: [String] {
        guard !bonded.isEmpty else { return [] }
        let more = bonded.count - Self.namedMax
        return [
            "\(Terminal.grouped(bonded.count)) of those without room would have a quota, and no bond has room for them: "
                + bonded.prefix(Self.namedMax).map(\.description).joined(separator: ", ")
                + (more > 0 ? " and \(Terminal.grouped(more)) more, which --json lists" : "")
        ]
    }

    package var lines: [String] {
        func pesos(_ centavos: Int) -> String { "$\(Terminal.grouped(centavos / 100))" }
        let again = Terminal.grouped(sums[.laterHolder]?.accounts ?? 0)
        var lines = [
            "\(period) as recorded: \(Terminal.counted(recorded.accounts, "account")) leased, \(again) of them again, "
                + "\(Terminal.counted(recorded.reports, "report")), "
                + "\(Terminal.grouped(recorded.paying)) paying, \(pesos(recorded.paid))",
            "under \(name), dealt by the seed \(seed): \(Terminal.counted(placed, "account")) placed, "
                + "\(Terminal.grouped(unplaced)) for which there is no room",
            "\(Terminal.grouped(heldOver)) were held when the month began: they stay with their holders and take their room",
        ]
        lines += bondedLines + [""]
        for fate in Fate.allCases {
            let sum = sums[fate] ?? Sum()
            lines.append(
                "  \(Terminal.counted(sum.accounts, "account")), \(Terminal.counted(sum.reports, "report")), "
                    + "\(pesos(sum.paid)) paid: \(fate.rawValue)")
        }
        let stands = sums[.stands] ?? Sum()
        lines += [
            "",
            "Known of the other month: \(pesos(stands.paid)) of the recorded \(pesos(recorded.paid)). The rest may have come or not, and "
                + "accounts without a record may have added to it; 'agentsim month --model' estimates both with intervals.",
            "",
            "Not to be inferred:",
        ]
        if unheldPaid != 0 {
            let what = unheldPaid > 0 ? "paid on" : "taken back of payments on"
            lines.insert("  \(pesos(abs(unheldPaid))) more were \(what) accounts that nobody had held by then", at: 1)
        }
        return lines + unknown.map { "  - \($0)" }
    }

    package var json: String {
        func object(_ sum: Sum) -> String {
            "{\"accounts\": \(sum.accounts), \"reports\": \(sum.reports), \"paying\": \(sum.paying), \"paid\": \(sum.paid)}"
        }
        let fates = Fate.allCases.map { "  \"\($0)\": \(object(sums[$0] ?? Sum()))" }
        return
            "{\n  \"period\": \"\(period)\", \"seed\": \(seed), \"placed\": \(placed), \"unplaced\": \(unplaced), \"held_over\": \(heldOver), \"unheld_paid\": \(unheldPaid),\n"
            + "  \"recorded\": \(object(recorded)),\n"
            + fates.joined(separator: ",\n")
            + ",\n  \"no_bond\": [\(bonded.map { "{\"delegation\": \($0.delegation), \"account\": \($0.account)}" }.joined(separator: ", "))]"
            + ",\n  \"unknown\": [\(unknown.map { "\"\($0)\"" }.joined(separator: ", "))]\n}"
    }
}

extension ReplayRun.Sum {
    fileprivate mutating func add(_ holding: MonthRecord.Holding) {
        accounts += 1
        reports += holding.reports
        paying += holding.paid > 0 ? 1 : 0
        paid += holding.paid
    }
}
