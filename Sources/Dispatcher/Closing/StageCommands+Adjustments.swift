// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Waivers, credits and debits, and what takes them back.
extension StageCommands {
    /// - Parameter isBeyondInvoice: also a debit with which those about the month come to more than its invoice.
    /// - Returns: the adjustment's number.
    package func propose(
        _ adjustment: Adjustment, in period: Period, contract: Int32, delegation: Int16?, isBeyondInvoice: Bool = false,
        by: String
    ) throws -> Int64 {
        try requireNamed(by)
        try requireReason(adjustment.reason)
        try requireAmount(adjustment.amount)
        try requireOpen(period, try facts(period))
        let adjustment = adjustment.ofRule(Words.rule(adjustment.rule))
        try requireFitting(adjustment, in: period)
        let (about, shown) = try AdjustmentScope(link, period).require(
            adjustment, contract: contract, delegation: delegation)
        let proposed = adjustment.ofRule(about.text)
        let charges =
            adjustment.kind == .waiver
            ? try widened(shown, for: proposed, in: period, contract: contract, delegation: delegation) : shown
        return try link.transaction {
            // Of two credits, or debits, about one month in two later ones each sees the other.
            if adjustment.kind != .waiver { _ = try PeriodStore(link, period: adjustment.about).lock() }
            try requireOpen(period)
            if adjustment.kind == .waiver {
                let place = WaiverPlace(store, period, contract: contract, delegation: delegation)
                if let former = try place.bar(about) {
                    let number = former.adjustment.number
                    throw CommandFailure(
                        .findings,
                        "adjustment \(number) is about the same penalty, and "
                            + (former.decision == nil ? "waits for its decision" : "took back all of it"),
                        remedy: former.decision == nil
                            ? "Decide about that one first: `dispatcherd adjustment approve \(number)` or `reject \(number)`."
                            : "There is nothing left to waive; `dispatcherd adjustment withdraw \(number)` takes that one back."
                    )
                }
                try place.requireRoom(for: proposed, of: charges)
            }
            if adjustment.kind == .credit {
                try CreditPlace(store, adjustment.about, contract: contract, delegation: delegation)
                    .requireRoom(for: proposed)
            }
            try DebitPlace(link, proposed.about, contract: contract).requireRoom(for: proposed)
            if adjustment.kind == .debit, !isBeyondInvoice,
                let found = try Self.beyond(
                    proposed, and: proposed.amount ?? .zero, contract: contract,
                    of: store.statement(proposed.about, contract: contract), store)
            {
                throw CommandFailure(
                    .usage, found,
                    remedy: "Check --amount, --about and --contract; --beyond-invoice proposes it all the same.")
            }
            return try store.propose(
                proposed, in: period, contract: contract, delegation: delegation, objection: nil, by: by)
        }
    }

    /// Months and amounts that go with the kind.
    private func requireFitting(_ adjustment: Adjustment, in period: Period) throws {
        switch adjustment.kind {
        case .waiver:
            guard adjustment.about == period, adjustment.rule.hasPrefix("PEN-") else {
                throw CommandFailure(
                    .usage, "a waiver is of a penalty of the month itself",
                    remedy: "About an earlier month it is a credit or a debit.")
            }
        case .credit, .debit:
            let about = try facts(adjustment.about)
            guard about.isClosed, adjustment.about < period, adjustment.amount != nil else {
                throw CommandFailure(
                    .usage, "a credit or debit has an amount and is about an earlier month that is closed",
                    remedy: "Name it with --about, and the amount before IVA with --amount.")
            }
        }
    }

    /// Proposes to take an approved adjustment back while its month is open; it is decided about as any other adjustment.
    ///
    /// - Returns: the withdrawal's number.
    package func withdraw(adjustment number: Int64, reason: String, by: String) throws -> Int64 {
        try requireNamed(by)
        try requireReason(reason)
        return try link.transaction {
            guard let row = try store.adjustments(nil, number: number).first else {
                throw CommandFailure(
                    .findings, "there is no adjustment \(number)",
                    remedy: "`dispatcherd adjustment list` shows them.")
            }
            try requireOpen(row.period)
            guard row.isApproved, row.adjustment.withdraws == nil else {
                throw CommandFailure(
                    .usage, "adjustment \(number) is \(Self.standing(of: row)), so there is nothing to withdraw",
                    remedy: row.decision == nil
                        ? "`dispatcherd adjustment reject \(number)` keeps it out of force."
                        : "What is to be otherwise is proposed anew.")
            }
            let former = try store.adjustments(row.period).last {
                $0.adjustment.withdraws == number && $0.decision != "rejected"
            }
            if let former {
                throw CommandFailure(
                    .findings,
                    "withdrawal \(former.adjustment.number) of adjustment \(number) "
                        + (former.decision == nil ? "waits for its decision" : "took it out of force"),
                    remedy: "`dispatcherd adjustment list` shows it.")
            }
            return try store.propose(
                .withdrawal(of: number, in: row.period, reason: reason), in: row.period, contract: row.contract,
                delegation: row.delegation, objection: nil, by: by)
        }
    }

    private static func standing(of row: StageStore.AdjustmentRow) -> String {
        if row.decision == nil { return "not decided yet" }
        return row.adjustment.withdraws == nil ? "rejected" : "a withdrawal itself"
    }

    /// What to tell of a waiver of a penalty of which others took something back before; `nil` where none did.
    package func besideWaivers(adjustment number: Int64) throws -> String? {
        guard let row = try store.adjustments(nil, number: number).first, row.adjustment.kind == .waiver,
            row.adjustment.withdraws == nil
        else { return nil }
        return try WaiverPlace(store, row.period, contract: row.contract, delegation: row.delegation)
            .others(beside: row.adjustment)
    }

    /// What to tell where credits, or debits, about a month come to more than its invoice; `nil` where they do not.
    ///
    /// - Parameter number: of one of them; those that were rejected or withdrawn do not count.
    package func beyondInvoice(adjustment number: Int64) throws -> String? {
        guard let row = try store.adjustments(nil, number: number).first, row.adjustment.kind != .waiver else {
            return nil
        }
        let (about, contract) = (row.adjustment.about, row.contract)
        return try Self.beyond(
            row.adjustment, contract: contract,
            of: about == row.period
                ? store.preStatement(about, contract: contract) : store.statement(about, contract: contract), store)
    }

    /// Whether all of its kind about its month that stand or wait, and what is to come, pass the month's invoice.
    ///
    /// - Parameter body: the statement that has the invoice; `nil`: nothing was billed.
    private static func beyond(
        _ adjustment: Adjustment, and more: Cents = .zero, contract: Int32, of body: String?, _ store: StageStore
    ) throws -> String? {
        let sum = StageStore.standing(try store.adjustments(nil)).filter {
            ($0.adjustment.kind, $0.adjustment.about, $0.contract) == (adjustment.kind, adjustment.about, contract)
        }.reduce(more) { $0 + ($1.adjustment.amount ?? .zero) }
        let invoice = try body.flatMap { Cents(pesos: try StatementDocument($0).totals.fees) } ?? .zero
        guard sum > invoice else { return nil }
        return
            "\(adjustment.kind.rawValue)s about \(adjustment.about) of contract \(contract) come to \(grouped(sum)), "
            + "more than its invoice of \(grouped(invoice))"
    }

    package func decide(adjustment number: Int64, isApproved: Bool, reason: String, by: String) throws {
        try requireNamed(by)
        try requireReason(reason)
        try link.transaction {
            guard let row = try store.adjustments(nil, number: number).first, row.decision == nil else {
                throw CommandFailure(
                    .findings, "there is no adjustment \(number) that waits for a decision",
                    remedy: "`dispatcherd adjustment list` shows them.")
            }
            try requireOpen(row.period)
            try requireOther(by, than: row.proposedBy, isTo: "decide about adjustment \(number)")
            if let objection = try row.objection.flatMap({ try store.objections(nil, number: $0).first }) {
                try requireOther(
                    by, than: objection.raisedBy, who: "raised objection \(objection.number)",
                    isTo: "decide about adjustment \(number)")
            }
            if isApproved, row.adjustment.kind == .debit {
                _ = try PeriodStore(link, period: row.adjustment.about).lock()
                try DebitPlace(link, row.adjustment.about, contract: row.contract)
                    .requireRoom(for: row.adjustment, number: number)
            }
            guard try store.decide(adjustment: number, isApproved: isApproved, reason: reason, by: by) else {
                throw CommandFailure(
                    .findings, "adjustment \(number) was decided meanwhile",
                    remedy: "`dispatcherd adjustment list` shows it.")
            }
            guard let decided = try store.adjustments(nil, number: number).first else { return }
            try link.insertBlocks(LedgerBlock.seal([.adjustment(decided)]))
        }
    }

    package func adjustments(_ period: Period?) throws -> [StageStore.AdjustmentRow] { try store.adjustments(period) }
}
