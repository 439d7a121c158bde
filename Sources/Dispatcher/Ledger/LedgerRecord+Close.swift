// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension LedgerRecord {
    /// Text of people's as one word: every byte up to the space, `%` and DEL as `%` and two hexadecimal digits.
    static func word(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte <= 0x20 || byte == 0x25 || byte == 0x7F {
                bytes.append(0x25)
                bytes += Array(LedgerTree.hex([byte]).utf8)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A decision of a delegation about an outcome; in the period of the work.
    static func review(_ row: RecordedReview) -> LedgerRecord {
        LedgerRecord(
            delegation: row.delegation, period: row.period,
            "review outcome=\(row.outcome) delegation=\(row.delegation) decision=\(row.decision)"
                + " reason=\(word(row.reason)) by=\(word(row.reviewer)) at=\(row.at)")
    }

    /// An agency contests a rejection; in the period of the work.
    static func contest(
        _ outcome: Int64, _ delegation: Delegation, _ period: Period, reason: String, by: String, at now: Timestamp
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "contest outcome=\(outcome) delegation=\(delegation) reason=\(word(reason)) by=\(word(by)) at=\(now)")
    }

    static func contest(_ row: RecordedContest) -> LedgerRecord {
        contest(row.outcome, row.delegation, row.period, reason: row.reason, by: row.by, at: row.at)
    }

    /// A payment of the institution's feed; in the period of the feed.
    static func payment(_ row: RecordedPayment) -> LedgerRecord {
        var text = "payment id=\(word(row.id)) delegation=\(row.delegation) account=\(row.account) paid=\(row.paidOn)"
        text += " amount=\(row.amount) origin=\(row.origin)"
        if let reverses = row.reverses { text += " reverses=\(word(reverses))" }
        return LedgerRecord(delegation: row.delegation, period: row.period, text)
    }

    /// What supervision recorded; in the period that it counts for.
    static func fact(_ row: RecordedFact) -> LedgerRecord {
        var text = "fact id=\(word(row.id)) delegation=\(row.delegation) contract=\(row.contract) kind=\(row.kind)"
        text += " on=\(row.on)"
        if let portfolio = row.portfolio { text += " portfolio=\(portfolio)" }
        for (name, value) in [
            ("subject", row.subject), ("value", row.value), ("minimum", row.minimum), ("weight", row.weight),
            ("supersedes", row.supersedes),
        ] {
            if let value { text += " \(name)=\(word(value))" }
        }
        return LedgerRecord(delegation: row.delegation, period: row.period, text)
    }

    /// One section of a statement, with the digest of the whole; the section on the whole invoice goes with the first one.
    static func statement(
        contract: Int32, delegation: Delegation, period: Period, digest: [UInt8], totals: StatementTotals
    ) -> LedgerRecord {
        statement(
            contract: contract, delegation: delegation, period: period, digest: digest,
            sums: (totals.fees.description, totals.penalties.description, totals.payable.description))
    }

    /// - Parameter sums: of the section, as the statement writes them.
    static func statement(
        contract: Int32, delegation: Delegation, period: Period, digest: [UInt8],
        sums: (fees: String, penalties: String, payable: String)
    ) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "statement delegation=\(delegation) contract=\(contract) digest=\(LedgerTree.hex(digest))"
                + " fees=\(sums.fees) penalties=\(sums.penalties) payable=\(sums.payable)")
    }

    /// A closed month's root was signed; of the month as a whole, so it stands with the first delegation, in the period in which it
    /// was signed, where no later hand can take it out without the chains that follow.
    static func root(_ row: PeriodRootRow, at now: Timestamp) -> LedgerRecord {
        let delegation = chain(of: nil)
        return LedgerRecord(
            delegation: delegation, period: .ofWork(at: now),
            "root delegation=\(delegation) period=\(row.period) root=\(LedgerTree.hex(row.root)) key=\(row.key) at=\(now)"
        )
    }

    /// A waiver, credit or debit as it was decided;
    /// one on the whole invoice goes into the first delegation's chain.
    /// One that was rejected is recorded as well.
    static func adjustment(_ row: StageStore.AdjustmentRow) -> LedgerRecord {
        let delegation = chain(of: row.delegation)
        var text = "adjustment number=\(row.adjustment.number) delegation=\(delegation) contract=\(row.contract)"
        text += " kind=\(row.adjustment.kind.rawValue) rule=\(word(row.adjustment.rule)) about=\(row.adjustment.about)"
        if let amount = row.adjustment.amount { text += " amount=\(amount)" }
        text += " scope=\(row.delegation == nil ? "invoice" : "delegation") reason=\(word(row.adjustment.reason))"
        text += " proposed=\(word(row.proposedBy)) \(row.decision ?? "waits")=\(word(row.decidedBy ?? ""))"
        if let reason = row.decisionReason { text += " why=\(word(reason))" }
        return LedgerRecord(delegation: delegation, period: row.period, text)
    }

    /// What an agency says against a line of its pre-statement.
    static func objection(_ row: StageStore.Objection) -> LedgerRecord {
        let delegation = chain(of: row.delegation)
        return LedgerRecord(
            delegation: delegation, period: row.period,
            "line-objection number=\(row.number) delegation=\(delegation) contract=\(row.contract) rule=\(word(row.rule))"
                + " scope=\(row.delegation == nil ? "invoice" : "delegation") reason=\(word(row.reason))"
                + " by=\(word(row.raisedBy)) at=\(row.raisedAt)")
    }

    /// What was decided about it; `nil` while it waits.
    static func objectionDecision(_ row: StageStore.Objection) -> LedgerRecord? {
        guard let decision = row.decision else { return nil }
        let delegation = chain(of: row.delegation)
        return LedgerRecord(
            delegation: delegation, period: row.period,
            "line-decision objection=\(row.number) delegation=\(delegation) decision=\(decision)"
                + " reason=\(word(row.decisionReason ?? "")) by=\(word(row.decidedBy ?? ""))")
    }

    /// Where what is said about a statement is recorded: in the first delegation, where it is about the whole invoice.
    static func chain(of delegation: Int16?) -> Delegation {
        delegation.flatMap { Delegation($0) } ?? Delegation.all[0]
    }

    /// The policy that placed a period's accounts, with the digests of what it read and of what it made.
    static func policy(_ row: SegmentationRow, delegation: Delegation, period: Period) -> LedgerRecord {
        LedgerRecord(
            delegation: delegation, period: period,
            "policy delegation=\(delegation) name=\(word(row.policy)) version=\(word(row.policyVersion))"
                + " digest=\(LedgerTree.hex(row.policyDigest)) cut=\(LedgerTree.hex(row.cutDigest))"
                + " placements=\(LedgerTree.hex(row.digest))")
    }
}

/// Appends the records of what a file brought, a bounded number at a time.
enum FileRecords {
    /// Records of one block, at most.
    static let blockMax = 2_000

    /// What an import of payments or facts wrote; in its transaction.
    static func write(_ kind: ImportKind, import number: Int64, _ link: PgLink) throws {
        let rows = RecordedRows(link)
        switch kind {
        case .payments:
            try rows.eachPayments(ofFile: number, pageMax: Int32(blockMax)) { page in
                try link.insertBlocks(LedgerBlock.seal(page.map(LedgerRecord.payment)))
            }
        case .facts:
            try rows.eachFacts(ofFile: number, pageMax: Int32(blockMax)) { page in
                try link.insertBlocks(LedgerBlock.seal(page.map(LedgerRecord.fact)))
            }
        default: break
        }
    }
}
