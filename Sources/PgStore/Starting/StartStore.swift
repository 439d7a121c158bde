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
        /// Rows of municipalities that no account starts by.
        package let idleMunicipalities: Int64
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

    /// What was ended before anything is dealt.
    package struct Ended: Sendable {
        /// Deals of what may not be collected any more.
        package let excluded: Int64
        /// Of them leased, and so recalled.
        package let recalled: Int64
        /// Deals that waited in hands, of what is dealt anew or not at all.
        package let withdrawn: Int64
    }

    /// Where a started account waits in a hand, or waited until it was withdrawn.
    package struct Waiting: Sendable {
        package let pool: PoolKey
        /// Who may still draw from that hand, ascending.
        package let contracts: [ContractID]
        /// How many contracts the hand was dealt to.
        package let sharers: Int32
        package let exposure: Int64
        package let arm: Int16
        package let reason: DealResult.Reason
        /// It was left where it waits: in a front hand, with what would be dealt now.
        package let isCurrent: Bool
    }

    /// One started account after it was placed.
    package struct Account: Sendable {
        /// Of the file.
        package let line: Int32
        package let delegation: Delegation
        package let account: Int64
        package let reason: String
        package let onDate: LocalDate
        package let rule: String?
        /// What had placed it before; `nil`: nothing to collect, or not in the cut.
        package let formerRule: String?
        /// Excluded by the policy, stopped, or certified as exhausted.
        package let isExcluded: Bool
        /// Of the deal that is held, or waits in a front hand as it is now.
        package let liveEpoch: Int64?
        /// `nil`: it waited in no hand.
        package let waiting: Waiting?
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

    /// A start as it was recorded, and how its account is by now.
    package struct Recorded: Sendable {
        package let delegation: Int16
        package let account: Int64
        package let reason: String
        package let onDate: LocalDate
        package let rule: String
        package let fate: String
        package let epoch: Int64?
        /// Whose hand that deal is in; the first of those that share it.
        package let contract: Int32?
        /// `held`, `waiting`, `stopped`, `excluded`, `nothing-to-collect` or `unassigned`.
        package let now: String
        /// Who holds it, or whose hand it waits in.
        package let nowContract: Int32?
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
        let idle = try link.run(StartStatements.countIdleMunicipalities).first?.int64(0) ?? 0
        let expandedKnown = try link.run(StartStatements.dropKnown).affected
        var ended = 0
        for statement in StartStatements.endStops { ended += try link.run(statement).affected }
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
            known: Int64(known + expandedKnown), stopsEnded: Int64(ended), idleMunicipalities: idle,
            delegations: delegations.compactMap { Delegation($0.int16(0)) })
    }

    /// The accounts at work that were invited to mediation until now.
    package func invited(_ delegation: Delegation) throws(PgError) -> Set<Int64> {
        Set(try link.run(StartStatements.invited, [.int16(delegation.value)]).map { $0.int64(0) })
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

    /// Puts the placements in force, takes back what may not be collected any more, and withdraws from their hands the
    /// accounts that wait there, so that they can be dealt anew.
    ///
    /// - Parameter reason: of the withdrawals, in the ledger.
    /// - Locks: the hands of all of these, ascending, then the grants; until the transaction ends.
    package func place(withdrawing reason: String, seal: DealEndings.Seal) throws -> Ended {
        try link.script("ANALYZE start_verdict")
        try link.run(StartStatements.dropPlacements, [.int32(period.number)])
        try link.run(StartStatements.putPlacements, [.int32(period.number)])
        try link.run(StartStatements.noteRooms, [.date(today)])
        try link.run(WaitingStatements.lockHands)
        try link.run(WaitingStatements.note, [.int32(period.number)])
        try link.script("ANALYZE start_waiting")
        let endings = DealEndings(link)
        try endings.stage()
        try link.run(StartStatements.stageEndings)
        let withdrawn = Int64(try link.run(WaitingStatements.stageWithdrawals, [.text(reason)]).affected)
        let count = try endings.run(seal: seal)
        return Ended(excluded: count.ended - withdrawn, recalled: count.held, withdrawn: withdrawn)
    }

    /// Every account at work, by delegation and number.
    package func accounts() throws(PgError) -> [Account] {
        try link.run(StartStatements.accounts, [.int32(period.number), .date(today)]).compactMap { row in
            guard let delegation = Delegation(row.int16(0)) else { return nil }
            return Account(
                line: row.int32(18), delegation: delegation, account: row.int64(1), reason: row.text(2),
                onDate: row.date(3), rule: row.optionalText(4), formerRule: row.optionalText(19),
                isExcluded: row.bool(5), liveEpoch: row.optionalInt64(6), waiting: Waiting(row, delegation),
                dealable: DealableRow(started: row))
        }
    }

    /// As of before the hands were locked, with what was ended and moved since.
    package func rooms() throws(PgError) -> [Room] {
        try link.run(StartStatements.rooms).compactMap { row in
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

    /// The period's starts in the order in which they came, each with how it is today.
    package func list() throws(PgError) -> [Recorded] {
        try link.run(StartStatements.list, [.int32(period.number), .date(today)]).map { row in
            Recorded(
                delegation: row.int16(0), account: row.int64(1), reason: row.text(2), onDate: row.date(3),
                rule: row.text(4), fate: row.text(5), epoch: row.optionalInt64(6),
                contract: row.optionalInt32s(7)?.first, now: row.text(8), nowContract: row.optionalInt32s(9)?.first)
        }
    }
}

extension StartStore.Waiting {
    /// Reads what ``StartStatements/accounts`` selects from its twentieth column on.
    fileprivate init?(_ row: PgRow, _ delegation: Delegation) {
        guard let isCurrent = row.optionalBool(20),
            let strategy = row.optionalInt16(21).flatMap(Strategy.init(rawValue:)),
            let portfolio = row.optionalInt16(22).flatMap(Portfolio.init(rawValue:)),
            let reason = DealResult.Reason(rawValue: UInt8(clamping: row.int16(25)))
        else { return nil }
        self.init(
            pool: PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio),
            contracts: row.int32s(26).compactMap { ContractID($0) }, sharers: row.int32(27), exposure: row.int64(23),
            arm: row.int16(24), reason: reason, isCurrent: isCurrent)
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
            tactic: ShortText(row.text(11)), arrears: row.int16(12), due: row.int64(13), overdue: row.int64(14),
            balance: row.int64(15), municipality: row.int32(16), reference: ShortText(row.text(17)),
            latestDeal: row.int64(7))
    }
}
