// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Accounts that start to be collected within a period: what the file says of them, where the policy places them, and
/// what becomes of them. Works on the rows that ``ImportStore`` staged, in its transaction.
package struct StartStore {
    /// A column of the cut that a row may give.
    package struct Column: Sendable {
        package let name: String
        /// What a new account gets where the row says nothing, as SQL.
        package let fallback: String?

        package init(_ name: String, fallback: String?) {
            self.name = name
            self.fallback = fallback
        }
    }

    package struct Prepared: Sendable {
        package let known: Int64
        package let stopsEnded: Int64
        package let delegations: [Delegation]
    }

    /// Where the policy places one account.
    package struct Verdict: Sendable {
        package let account: Int64
        package let placement: PlacementRow?
        package let offers: UInt64

        /// - Parameter placement: `nil`: nothing to collect.
        package init(account: Int64, placement: PlacementRow?, offers: UInt64) {
            self.account = account
            self.placement = placement
            self.offers = offers
        }
    }

    /// One started account after it was placed.
    package struct Account: Sendable {
        package let delegation: Delegation
        package let account: Int64
        package let reason: String
        package let onDate: LocalDate
        package let rule: String?
        /// Excluded by the policy, stopped, or certified as exhausted.
        package let isExcluded: Bool
        /// Of the deal that is held or waits in a hand.
        package let liveEpoch: Int64?
        /// What a position keeps of it; `nil` where it is not placed.
        package let dealable: DealableRow?
    }

    /// What a contract may still be dealt of a pool.
    package struct Room: Sendable {
        package let pool: PoolKey
        package let contract: ContractID
        package let accounts: Int64
        package let exposure: Int64?
    }

    package struct Fate: Sendable {
        package let delegation: Delegation
        package let account: Int64
        package let fate: String
        package let epoch: Int64?

        package init(delegation: Delegation, account: Int64, fate: String, epoch: Int64?) {
            self.delegation = delegation
            self.account = account
            self.fate = fate
            self.epoch = epoch
        }
    }

    /// A start as it was recorded.
    package struct Recorded: Sendable {
        package let delegation: Int16
        package let account: Int64
        package let reason: String
        package let onDate: LocalDate
        package let rule: String
        package let fate: String
        package let epoch: Int64?
        package let contract: Int32?
    }

    private let link: PgLink
    private let period: Period
    /// The day as of which accounts are placed.
    private let today: LocalDate

    package init(_ link: PgLink, period: Period, today: LocalDate) {
        self.link = link
        self.period = period
        self.today = today
    }

    /// The plan that is in force for the period, and the first later period that has one, applied or being dealt.
    package func plans() throws(PgError) -> (mine: (state: String, id: Int64, seed: Int64)?, later: Period?) {
        let rows = try link.run(StartStatements.plans, [.int32(period.number)])
        let mine = rows.first { $0.int32(0) == period.number }.map { ($0.text(1), $0.int64(2), $0.int64(3)) }
        let later = rows.first { $0.int32(0) > period.number }.flatMap { Period(number: $0.int32(0)) }
        return (mine, later)
    }

    /// Ends the stops that the file ends, and brings the accounts of the cut to what it says.
    package func prepare(_ columns: [Column], importID: Int64) throws(PgError) -> Prepared {
        let key = PgValue.int32(period.number)
        // Before anything else: a row that is there already ends nothing a second time.
        let known = try link.run(StartStatements.dropKnown).affected
        try link.run(StartStatements.expandMunicipalities, [key])
        let expandedKnown = try link.run(StartStatements.dropKnown).affected
        let ended = try link.run(StartStatements.endStops).affected
        try link.run(StartStatements.dropMunicipalities)
        try link.script(StartStatements.makeRows)
        try link.run(StartStatements.keepFormer, [key])
        try link.script("ANALYZE start_row")
        try link.run(StartStatements.defaultJobLoss)
        try link.run(StartStatements.updateAccounts(columns), [key])
        try link.run(StartStatements.insertAccounts(columns), [key])
        try link.run(StartStatements.stopNewAccounts, [key, .int64(importID), .date(today)])
        let delegations = try link.run("SELECT DISTINCT delegation_id FROM start_row ORDER BY 1")
        return Prepared(
            known: Int64(known + expandedKnown), stopsEnded: Int64(ended),
            delegations: delegations.compactMap { Delegation($0.int16(0)) })
    }

    /// Gives each account at work as the policy reads it, by number.
    package func readAccounts(
        _ delegation: Delegation, _ body: (Int64, borrowing AccountRow) throws -> Void
    ) throws {
        try SegmentationStore(link, period: period).readCut(
            delegation, cut: today,
            only: "SELECT account_id FROM start_row WHERE delegation_id = \(delegation.value)", body)
    }

    package func writeVerdicts(_ delegation: Delegation, _ verdicts: [Verdict]) throws {
        try link.copyIn(StartStatements.copyVerdicts) { writer in
            for verdict in verdicts {
                let row = verdict.placement
                try writer.row(columns: 9)
                writer.int16(delegation.value)
                writer.int64(verdict.account)
                writer.optionalInt16(row?.strategy?.rawValue)
                writer.optionalText(row?.tactic)
                writer.optionalInt16(row?.portfolio?.rawValue)
                writer.optionalInt16(row?.priority)
                writer.optionalText(row?.rule)
                writer.optionalText(row?.exclusion)
                writer.int64(Int64(bitPattern: verdict.offers))
            }
        }
    }

    /// Puts the placements in force, and takes back what may not be collected any more.
    package func place(seal: DealEndings.Seal) throws -> DealEndings.Count {
        try link.script("ANALYZE start_verdict")
        try link.run(StartStatements.dropPlacements, [.int32(period.number)])
        try link.run(StartStatements.putPlacements, [.int32(period.number)])
        let endings = DealEndings(link)
        try endings.stage()
        try link.run(StartStatements.stageEndings)
        return try endings.run(seal: seal)
    }

    /// Every account at work, by delegation and number.
    package func accounts() throws(PgError) -> [Account] {
        try link.run(StartStatements.accounts, [.int32(period.number), .date(today)]).compactMap { row in
            guard let delegation = Delegation(row.int16(0)) else { return nil }
            return Account(
                delegation: delegation, account: row.int64(1), reason: row.text(2), onDate: row.date(3),
                rule: row.optionalText(4), isExcluded: row.bool(5), liveEpoch: row.optionalInt64(6),
                dealable: DealableRow(started: row))
        }
    }

    package func rooms() throws(PgError) -> [Room] {
        try link.run(StartStatements.rooms, [.date(today)]).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let strategy = Strategy(rawValue: row.int16(1)),
                let portfolio = Portfolio(rawValue: row.int16(2)), let contract = ContractID(row.int32(3))
            else { return nil }
            return Room(
                pool: PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio), contract: contract,
                accounts: max(0, row.int64(4)), exposure: row.optionalInt64(5).map { max(0, $0) })
        }
    }

    /// Records every start with what became of it.
    ///
    /// - Returns: how many were recorded.
    package func record(_ fates: [Fate], importID: Int64) throws -> Int64 {
        try link.copyIn(StartStatements.copyFates) { writer in
            for fate in fates {
                try writer.row(columns: 4)
                writer.int16(fate.delegation.value)
                writer.int64(fate.account)
                writer.text(fate.fate)
                writer.optionalInt64(fate.epoch)
            }
        }
        return Int64(
            try link.run(StartStatements.record, [.int32(period.number), .date(today), .int64(importID)]).affected)
    }

    /// The period's starts in the order in which they came.
    package func list() throws(PgError) -> [Recorded] {
        try link.run(StartStatements.list, [.int32(period.number)]).map { row in
            Recorded(
                delegation: row.int16(0), account: row.int64(1), reason: row.text(2), onDate: row.date(3),
                rule: row.text(4), fate: row.text(5), epoch: row.optionalInt64(6),
                contract: row.optionalInt32s(7)?.first)
        }
    }
}

extension DealableRow {
    /// Reads what ``StartStatements/accounts`` selects from its eighth column on.
    fileprivate init?(started row: PgRow) {
        guard let strategy = row.optionalInt16(8).flatMap(Strategy.init(rawValue:)),
            let portfolio = row.optionalInt16(9).flatMap(Portfolio.init(rawValue:))
        else { return nil }
        self.init(
            account: row.int64(1), strategy: strategy, portfolio: portfolio, priority: row.int16(10),
            tactic: row.text(11), arrears: row.int16(12), due: row.int64(13), overdue: row.int64(14),
            balance: row.int64(15), municipality: row.int32(16), reference: row.text(17), latestDeal: row.int64(7))
    }
}
