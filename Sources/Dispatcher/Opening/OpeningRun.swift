// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// Takes a running operation on board: what agencies hold becomes leases with their first epochs, and what is known of
/// the months before is kept for rotation, recidivism, cures and exhaustion.
///
/// Runs inside the transaction of the import. The holdings lie in closed hands of the month before, fully granted, as
/// everything does that is alive at a turn of the month: they count against the first plan's quotas and are not dealt.
struct OpeningRun {
    private let link: PgLink
    private let period: Period
    private let store: OpeningStore
    private let planning: PlanningStore

    /// Enforced as late as the shipped policies do.
    private static let graceHours: Int32 = 24
    private static let lateReportHours: Int32 = 48

    /// - Locks: every period that is not closed, as a plan does.
    init(_ link: PgLink, period: Period) throws {
        self.link = link
        self.period = period
        store = OpeningStore(link, period: period)
        let former = period.advanced(byMonths: -1)
        planning = PlanningStore(link, period: former, cut: former.firstDay)
        _ = try planning.lockPeriods()
    }

    /// - Throws: ``CommandFailure`` (usage) where something is planned already.
    func requireUnplanned() throws {
        if let planned = try store.firstPlanned() {
            throw CommandFailure(
                .usage,
                "an opening comes before the first plan, and that is the one of \(planned): nothing of before \(period) comes on board "
                    + "any more",
                remedy:
                    "What changed since comes as stops and starts; what agencies hold at a turn of the month stays theirs anyway."
            )
        }
    }

    /// The plan that stands for what was dealt before.
    private func formerPlan() throws -> Int64 {
        guard let plan = try store.formerPlan() else {
            throw CommandFailure(
                .usage, "\(planning.period) is not closed here, so it is no month of before",
                remedy: "Load the opening into the first month that this installation plans.")
        }
        return plan
    }

    /// - Returns: what was done, in words for people.
    /// - Throws: ``CommandFailure`` (usage) where the month before is open here.
    func apply(importID: Int64) throws -> [ImportCount] {
        let plan = try formerPlan()
        let holdings = try store.holdings()
        let dealt = try deal(holdings, plan: plan)
        let memories = try store.remember(importID: importID)
        let uncured = try store.uncuredAgreements()
        let now = try link.readNow()
        let month = Period.ofWork(at: now)
        try link.insertBlocks(
            LedgerBlock.seal(
                dealt.hands.map { .opening($0.row, in: $0.delegation, plan: plan, period: month) }
                    + dealt.grants.map { .opening($0, period: month) } + memories.map { .opening($0, period: month) }))
        let kinds = Dictionary(grouping: memories, by: \.kind).mapValues { Int64($0.count) }
        return [
            ImportCount("accounts held", Int64(holdings.count)),
            ImportCount("by agencies", Int64(Set(holdings.map(\.agency)).count)),
            ImportCount("former holders", kinds["holder"] ?? 0), ImportCount("breaches", kinds["breach"] ?? 0),
            ImportCount("agreements in cure", kinds["agreement"] ?? 0),
            ImportCount("prórrogas", kinds["extension"] ?? 0),
        ] + (uncured > 0 ? [ImportCount("of the agreements, not in cure by the cut", uncured)] : [])
    }

    // MARK: - Holdings

    private struct Dealt {
        var hands: [(delegation: Delegation, row: HandRow)] = []
        var grants: [OpeningGrant] = []
    }

    /// One hand per contract and pool, one grant per day and term.
    private func deal(_ holdings: [OpeningHolding], plan: Int64) throws -> Dealt {
        var dealt = Dealt()
        guard !holdings.isEmpty else { return dealt }
        let epoch = try Recovery.dealingIncarnation(planning.link) << 32 + 1
        var (totals, key) = try store.totals()
        let groups = Dictionary(grouping: holdings) { Group($0) }
        for delegation in Set(holdings.map(\.delegation)).sorted() {
            let mine = groups.keys.filter { $0.pool.delegation == delegation }.sorted()
            let numbers = try planning.handNumbers(mine.count)
            var hands: [HandRow] = []
            var opened: [DealtRows] = []
            for (group, number) in zip(mine, numbers) {
                let rows = groups[group] ?? []
                let (hand, places) = hand(number, group, rows, epoch: epoch)
                hands.append(hand)
                opened.append(DealtRows(rows: rows.map(\.dealable), positions: places))
                var total = totals[group.pool]?[group.contract] ?? (0, 0)
                dealt.grants += grants(number, group, rows, places, epoch: epoch, key: &key, total: &total)
                totals[group.pool, default: [:]][group.contract] = total
            }
            // No policy placed what was held before the first month: the contract's packs alone.
            try planning.writeHands(delegation, plan: plan, hands: hands, dealt: opened, packs: [])
            dealt.hands += hands.map { (delegation, $0) }
        }
        try store.write(dealt.grants, plan: plan)
        return dealt
    }

    private struct Group: Hashable, Comparable {
        let pool: PoolKey
        let contract: ContractID

        init(_ holding: OpeningHolding) {
            pool = PoolKey(
                delegation: holding.delegation, strategy: holding.strategy, portfolio: holding.portfolio)
            contract = holding.contract
        }

        static func < (left: Group, right: Group) -> Bool {
            (left.pool, left.contract) < (right.pool, right.contract)
        }
    }

    private func hand(
        _ number: Int32, _ group: Group, _ rows: [OpeningHolding], epoch: Int64
    ) -> (HandRow, [PositionRow]) {
        var digest = HandDigest()
        let positions = rows.enumerated().map { index, row in
            digest.add(row.dealable.account, epoch)
            return PositionRow(
                hand: number, position: Int32(index) + 1, epoch: epoch,
                exposure: row.exposure.of(overdue: row.dealable.overdue, balance: row.dealable.balance),
                stratum: StratumKey(tactic: 0), arm: 0, reason: .share,
                account: row.dealable.account, place: Int32(index))
        }
        let days = rows.map { $0.untilOn.daysSince1970 - $0.fromOn.daysSince1970 + 1 }.max() ?? 1
        let holding = Holding(
            termDays: days, ceilingDays: days, graceHours: Self.graceHours, lateReportHours: Self.lateReportHours)
        let row = HandRow(
            hand: number, contracts: [group.contract], strategy: group.pool.strategy, portfolio: group.pool.portfolio,
            size: Int32(rows.count), holding: holding, digest: digest.finalize())
        return (row, positions)
    }

    /// The rows are ordered by their days, so each grant is a run of positions.
    private func grants(
        _ hand: Int32, _ group: Group, _ rows: [OpeningHolding], _ positions: [PositionRow], epoch: Int64,
        key: inout Int64, total: inout (Int64, Int64)
    ) -> [OpeningGrant] {
        var grants: [OpeningGrant] = []
        var first = 0
        while first < rows.count {
            let from = rows[first].fromOn
            let until = rows[first].untilOn
            let end = rows[first...].firstIndex { $0.fromOn != from || $0.untilOn != until } ?? rows.count
            var digest = HeldDigest.empty
            for row in rows[first..<end] {
                guard let account = AccountID(row.dealable.account), let number = Epoch(epoch) else { continue }
                digest.add(group.pool.delegation, account, number)
            }
            let exposure = positions[first..<end].reduce(0) { $0 + $1.exposure }
            total = (total.0 + Int64(end - first), total.1 + exposure)
            key += 1
            grants.append(
                OpeningGrant(
                    grant: GrantKey(
                        delegation: group.pool.delegation, grant: GrantID(hand: hand, first: Int32(first) + 1)),
                    last: Int32(end), contract: group.contract, agency: rows[first].agency,
                    strategy: group.pool.strategy, portfolio: group.pool.portfolio, accounts: Int32(end - first),
                    exposure: exposure, totalAccounts: total.0, totalExposure: total.1, heldDigest: digest.bytes,
                    grantedAt: Self.midnight(from), term: Self.midnight(until.advanced(byDays: 1)), key: key))
            first = end
        }
        return grants
    }

    private static func midnight(_ day: LocalDate) -> Timestamp {
        Timestamp(date: day, offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }
}

extension LedgerRecord {
    fileprivate static func opening(
        _ hand: HandRow, in delegation: Delegation, plan: Int64, period: Period
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "deal plan=\(plan) delegation=\(delegation) hand=\(hand.hand) contract=\(hand.contractWords) "
                + "strategy=\(hand.strategy.name) portfolio=\(hand.portfolio.name) accounts=\(hand.size) "
                + "leases=\(LedgerTree.hex(hand.digest)) imported=yes")
    }

    fileprivate static func opening(_ grant: OpeningGrant, period: Period) -> LedgerRecord {
        LedgerRecord(
            delegation: grant.grant.delegation, period: period,
            "grant id=\(grant.grant.grant) delegation=\(grant.grant.delegation) contract=\(grant.contract) "
                + "agency=\(grant.agency) first=\(grant.grant.grant.first) last=\(grant.last) accounts=\(grant.accounts) "
                + "exposure=\(Cents(grant.exposure)) total=\(grant.totalAccounts) at=\(grant.grantedAt) "
                + "term=\(grant.term) leases=\(LedgerTree.hex(grant.heldDigest)) imported=yes")
    }

    fileprivate static func opening(_ memory: OpeningStore.Memory, period: Period) -> LedgerRecord {
        var text = "opening kind=\(memory.kind) delegation=\(memory.delegation)"
        if let account = memory.account { text += " account=\(account)" }
        if let contract = memory.contract { text += " contract=\(contract)" }
        if let agency = memory.agency { text += " agency=\(agency)" }
        if let day = memory.fromOn { text += " from=\(day)" }
        if let day = memory.untilOn { text += " until=\(day)" }
        return LedgerRecord(
            delegation: memory.delegation, period: period, text + " value=\(memory.value) imported=yes")
    }
}
