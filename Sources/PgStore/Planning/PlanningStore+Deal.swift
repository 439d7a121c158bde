// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One account that can be dealt, with what its position keeps of it.
package struct DealableRow: Sendable {
    package let account: Int64
    package let strategy: Strategy
    package let portfolio: Portfolio
    package let priority: Int16
    package let tactic: ShortText
    package let arrears: Int16
    package let due: Int64
    package let overdue: Int64
    package let balance: Int64
    package let municipality: Int32
    package let reference: ShortText
    /// Hundredths of a percent.
    package var probability: Int32 = 0
    package var regime: Int16 = 0
    /// The number of its latest deal, without the incarnation; 0: never dealt.
    package let latestDeal: Int64
    package var past = DealablePast()
}

/// What is remembered of an account, as far as ``DealMemory`` asks.
package struct DealablePast: Sendable {
    package var former = FormerHolders()
    /// Bound by an unbroken promise or an agreement in cure.
    package var boundTo: ContractID?
    /// 0 where the debtor is not known.
    package var debtor: Int64 = 0
    package var isUnfound = false

    package init() {}
}

/// One hand as it is written, without its accounts.
package struct HandRow: Sendable {
    /// The only tactic and priority class that a hand has, where pulls may name one.
    package struct Pick: Sendable {
        /// Empty where nothing was dealt.
        package let tactic: String
        package let priority: Int16

        package init(tactic: String, priority: Int16) {
            self.tactic = tactic
            self.priority = priority
        }
    }

    package let hand: Int32
    /// One, or all that share it, ascending.
    package let contracts: [ContractID]
    package let strategy: Strategy
    package let portfolio: Portfolio
    package let size: Int32
    package let holding: Holding
    package let digest: [UInt8]
    package let pick: Pick?

    package init(
        hand: Int32, contracts: [ContractID], strategy: Strategy, portfolio: Portfolio, size: Int32, holding: Holding,
        digest: [UInt8], pick: Pick? = nil
    ) {
        self.hand = hand
        self.contracts = contracts
        self.strategy = strategy
        self.portfolio = portfolio
        self.size = size
        self.holding = holding
        self.digest = digest
        self.pick = pick
    }

    /// As in the ledger: `7`, or `7,8,9`.
    package var contractWords: String { contracts.map(\.description).joined(separator: ",") }
}

/// One account in a hand.
package struct PositionRow: Sendable {
    package let hand: Int32
    package let position: Int32
    package let epoch: Int64
    package let exposure: Int64
    package let stratum: StratumKey
    /// Of an experiment; 0: none.
    package let arm: Int16
    /// Why this contract got it.
    package let reason: DealResult.Reason
    package let account: Int64
    /// The account's place among the ``DealtRows/rows``.
    package let place: Int32

    package init(
        hand: Int32, position: Int32, epoch: Int64, exposure: Int64, stratum: StratumKey, arm: Int16,
        reason: DealResult.Reason, account: Int64, place: Int32
    ) {
        self.hand = hand
        self.position = position
        self.epoch = epoch
        self.exposure = exposure
        self.stratum = stratum
        self.arm = arm
        self.reason = reason
        self.account = account
        self.place = place
    }
}

/// Accounts with the positions that they were dealt.
package struct DealtRows: Sendable {
    /// In any order; those that were not dealt may be among them.
    package let rows: [DealableRow]
    /// By hand and position.
    package let positions: [PositionRow]

    package init(rows: [DealableRow], positions: [PositionRow]) {
        self.rows = rows
        self.positions = positions
    }
}

/// One limit as it is put in force.
package struct QuotaRow: Sendable {
    package let pool: PoolKey
    package let contract: ContractID
    package let limitAccounts: Int64
    package let limitExposure: Int64?

    package init(pool: PoolKey, contract: ContractID, limitAccounts: Int64, limitExposure: Int64?) {
        self.pool = pool
        self.contract = contract
        self.limitAccounts = limitAccounts
        self.limitExposure = limitExposure
    }
}

extension PlanningStore {
    /// Gives each account of some delegations that can be dealt, in any order.
    package func readDealable(
        _ delegations: [Delegation], _ memory: DealMemory, _ body: (Delegation, DealableRow) throws -> Void
    ) throws {
        try readDealable(
            PlanningStatements.copyDealable(period: period, delegations: delegations, cut: cut, memory: memory), body)
    }

    /// Reads what ``PlanningStatements/copyDealable(period:delegations:cut:memory:held:pool:)`` selects.
    func readDealable(_ sql: String, _ body: (Delegation, DealableRow) throws -> Void) throws {
        try link.copyOut(sql) { reader in
            guard let delegation = Delegation(reader.int16()) else { return }
            let account = reader.int64()
            guard let strategy = Strategy(rawValue: reader.int16()), let portfolio = Portfolio(rawValue: reader.int16())
            else { return }
            try body(
                delegation,
                DealableRow(
                    account: account, strategy: strategy, portfolio: portfolio, priority: reader.int16(),
                    tactic: reader.shortText(), arrears: reader.int16(), due: reader.int64(), overdue: reader.int64(),
                    balance: reader.int64(), municipality: reader.int32(), reference: reader.shortText(),
                    probability: reader.int32(), regime: reader.int16(), latestDeal: reader.optionalInt64() ?? 0,
                    past: Self.past(&reader)))
        }
    }

    private static func past(_ reader: inout PgCopyReader) -> DealablePast {
        var past = DealablePast()
        let (latest, earlier) = (reader.optionalInt64(), reader.optionalInt64())
        if let latest { past.former = FormerHolders(packed: latest, earlier ?? 0) }
        past.boundTo = reader.optionalInt32().flatMap { ContractID($0) }
        past.debtor = reader.optionalInt64() ?? 0
        past.isUnfound = reader.optionalBool() ?? false
        return past
    }

    // MARK: - Writing

    /// Closes the hands of earlier periods: what they did not give out can be dealt again, the rest stays held.
    ///
    /// The caller has locked the periods: whoever opens hands of an earlier one has done so by then, or does not any more.
    /// - Returns: how many were closed.
    /// - Locks: those hands, ascending, until the transaction ends.
    package func closeEarlierHands() throws(PgError) -> Int {
        try link.run(PlanningStatements.closeHands, [.int32(period.number)]).affected
    }

    /// Whether hands of earlier periods still give something out.
    package func hasEarlierHands() throws(PgError) -> Bool {
        try link.run(PlanningStatements.hasEarlierHands, [.int32(period.number)]).first?.bool(0) ?? false
    }

    package func insertPlan(seed: Int64, segmentationDigest: [UInt8], digest: [UInt8]) throws(PgError) -> Int64 {
        let values: [PgValue] = [.int32(period.number), .int64(seed), .bytes(segmentationDigest), .bytes(digest)]
        let plan = try link.run(PlanningStatements.insertPlan, values).first?.int64(0) ?? 0
        try link.run(PlanningStatements.beginDealing, [.int64(plan)])
        return plan
    }

    /// Says that this command still deals the plan.
    package func beat(_ plan: Int64) throws(PgError) {
        try link.run(PlanningStatements.beatDealing, [.int64(plan)])
    }

    /// Whether the plan is still being dealt; another command may have discarded it.
    /// - Locks: the plan, until the transaction ends.
    package func lockDealing(_ plan: Int64) throws(PgError) -> Bool {
        try !link.run(PlanningStatements.lockPlan, [.int64(plan)]).isEmpty
    }

    /// Whether the period is open and the plan is still being dealt.
    /// - Locks: every period that is not closed, then the plan, against imports, the close and whoever takes the plan back,
    ///   but not against other parts of the same deal.
    package func shareDealing(_ plan: Int64) throws(PgError) -> Bool {
        var isOpen = false
        for row in try link.run(PlanningStatements.sharePeriods, [.int32(period.number)])
        where row.int32(0) == period.number { isOpen = row.text(1) == "open" }
        guard isOpen else { return false }
        return try !link.run(PlanningStatements.sharePlan, [.int64(plan)]).isEmpty
    }

    /// Numbers for new hands. A number that a discarded plan took is not used again.
    package func handNumbers(_ count: Int) throws(PgError) -> [Int32] {
        try link.run(PlanningStatements.handNumbers, [.int32(Int32(count))]).map { $0.int32(0) }
    }

    /// Writes one delegation's hands with their accounts.
    ///
    /// - Parameters:
    ///   - dealt: by hand.
    ///   - packs: the rule packs of the policy that placed them; with those of the contract they are what the hand is dealt under.
    ///   - front: whether they go before the main hands and are open at once; the hands of a plan are opened together.
    ///   - redeal: the round within the month that deals them; it opens them itself.
    package func writeHands(
        _ delegation: Delegation, plan: Int64, hands: [HandRow], dealt: [DealtRows], packs: [String],
        front: Bool = false, redeal: Int64? = nil
    ) throws {
        try link.copyIn(PlanningStatements.copyPositions) { writer in
            for part in dealt {
                for position in part.positions {
                    try Self.write(position, of: part.rows[Int(position.place)], in: delegation, to: &writer)
                }
            }
        }
        // By account, which is how the key grows best; its uniqueness is what makes an epoch live once.
        var byAccount = dealt.flatMap(\.positions)
        byAccount.sort { $0.account < $1.account }
        try link.copyIn(PlanningStatements.copyDeals) { writer in
            for position in byAccount {
                try writer.row(columns: 5)
                writer.int16(delegation.value)
                writer.int64(position.account)
                writer.int64(position.epoch)
                writer.int32(position.hand)
                writer.int32(position.position)
            }
        }
        try insertHands(delegation, plan: plan, hands, packs: packs, front: front, redeal: redeal)
    }

    private static func write(
        _ position: PositionRow, of row: DealableRow, in delegation: Delegation, to writer: inout PgCopyWriter
    ) throws(PgError) {
        try writer.row(columns: 16)
        writer.int16(delegation.value)
        writer.int32(position.hand)
        writer.int32(position.position)
        writer.int64(position.account)
        writer.int64(position.epoch)
        writer.int64(position.exposure)
        writer.int32(position.stratum.value)
        writer.int16(position.arm)
        writer.int16(Int16(position.reason.rawValue))
        writer.int16(row.priority)
        writer.text(row.tactic)
        writer.int16(row.arrears)
        writer.int64(row.due)
        writer.int64(row.overdue)
        writer.int32(row.municipality)
        writer.text(row.reference)
    }

    private func insertHands(
        _ delegation: Delegation, plan: Int64, _ hands: [HandRow], packs: [String], front: Bool, redeal: Int64?
    ) throws(PgError) {
        try link.run(
            PlanningStatements.insertHands,
            [
                .int16(delegation.value), .int32(period.number), .int64(plan), .int32s(hands.map(\.hand)),
                .texts(hands.map { "{\($0.contractWords)}" }), .int16s(hands.map(\.strategy.rawValue)),
                .int16s(hands.map(\.portfolio.rawValue)), .int32s(hands.map(\.size)),
                .int32s(hands.map(\.holding.termDays)), .int32s(hands.map(\.holding.ceilingDays)),
                .int64s(hands.map { Int64($0.holding.graceHours) * 3_600_000_000 }),
                .int64s(hands.map { Int64($0.holding.lateReportHours) * 3_600_000_000 }),
                .byteArrays(hands.map(\.digest)), .bool(front),
                .text(front && redeal == nil ? "open" : "inactive"), .optional(redeal),
                .optionalInt32s(hands.map(\.holding.activityDays)),
                .optionalInt32s(hands.map(\.holding.unlocatableDays)),
                .optionalTexts(hands.map(\.pick?.tactic)), .optionalInt16s(hands.map(\.pick?.priority)), .texts(packs),
            ])
    }

    /// Puts the limits in force, opens the plan's hands and marks it as applied: one short transaction of its own.
    /// - Locks: hands, then quotas, ascending.
    package func open(_ plan: Int64, quotas: [QuotaRow]) throws(PgError) {
        try link.run(PlanningStatements.lockHandsOfPlan, [.int64(plan)])
        try link.run(PlanningStatements.lockQuotas)
        try link.run(
            PlanningStatements.putQuotas,
            [
                .int64(plan), .int16s(quotas.map(\.pool.delegation.value)), .int32s(quotas.map(\.contract.value)),
                .int16s(quotas.map(\.pool.strategy.rawValue)), .int16s(quotas.map(\.pool.portfolio.rawValue)),
                .int64s(quotas.map(\.limitAccounts)), .optionalInt64s(quotas.map(\.limitExposure)),
            ])
        try link.run(PlanningStatements.recordQuotas, [.int64(plan)])
        try link.run(PlanningStatements.openHands, [.int64(plan)])
        try link.run(PlanningStatements.setPlanState, [.int64(plan), .text("applied")])
        try link.run(PlanningStatements.endDealing, [.int64(plan)])
    }

    /// Takes back a plan that was never opened. Its deals stay, so that its epochs are not used again.
    package func discard(_ plan: Int64) throws(PgError) {
        try link.run(PlanningStatements.discardPositions, [.int64(plan)])
        try link.run(PlanningStatements.discardHands, [.int64(plan)])
        try link.run(PlanningStatements.setPlanState, [.int64(plan), .text("discarded")])
        try link.run(PlanningStatements.endDealing, [.int64(plan)])
    }

    /// Makes the partition that the outcomes of `month` go to, where it is missing.
    package func makeOutcomePartition(_ month: Period) throws(PgError) {
        try link.script(PlanningStatements.outcomePartition(month.number))
    }
}
