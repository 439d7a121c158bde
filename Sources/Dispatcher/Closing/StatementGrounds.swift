// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What a line of a statement rests on, beyond what the line itself says: the terms of its clause, the lines that its base is made of,
/// the payments and accounts of contingency, the accounts by which a goal was counted, and who decided what persons changed.
struct StatementGrounds {
    typealias Line = StatementExplanation.Line

    let store: ExplainStore
    let stages: StageStore
    let period: Period
    /// Records, accounts or payments that are listed at most.
    let recordsMax: Int
    /// Whether the month's statements are the kept ones, and not pre-statements.
    let isFinal: Bool
    /// Every statement of the month, of all contracts: a rate of contingency goes by all of an agency's.
    let documents: [StatementDocument]

    /// As `parameter value`, where a schedule says it: `rate 5`, `threshold 80`.
    func terms(_ line: StatementDocument.Line) throws -> [String] {
        guard let version = ScheduleVersion(text: line.schedule) else { return [] }
        // A waiver or credit cites the schedule of the charge that it is about, and a service has a price of its own.
        let all = try store.terms(of: version, rule: line.rule)
        guard line.rule == FeeTariff.rule else { return all }
        return all.filter { $0.hasPrefix(line.subject + " ") }
    }

    // MARK: - Bases

    /// The lines that the base is the sum of; of staffing, the accounts that are assigned. Empty where the base is the line's own.
    func base(
        _ line: StatementDocument.Line, _ section: StatementDocument.Section, _ document: StatementDocument
    ) -> [String] {
        let base = line.base.pesos.flatMap { Cents(pesos: $0) }
        switch StatementLine.Kind(rawValue: line.kind) {
        case .taxOnFees: return parts(section.lines.filter { Self.part($0) == .fees }, of: base)
        case .taxOnPenalties:
            let all = section.lines.filter { Self.part($0) == .penalties }
            let found = parts(all, of: base)
            // Where penalties carry none, it is on the fees that debits take back (AMB-19).
            return found.isEmpty
                ? parts(all.filter { $0.kind == "debit" && PenaltyRule(rawValue: $0.rule) == nil }, of: base) : found
        case .penaltyCap:
            let charged = document.sections.flatMap(\.lines).filter { ["penalty", "waiver"].contains($0.kind) }
            return charged.isEmpty ? [] : ["limited: " + sum(charged)]
        case .penalty where base != nil:
            let own = section.lines.filter { $0.kind == "fee" }
            let all = document.sections.flatMap(\.lines).filter { $0.kind == "fee" }
            return Self.sum(own) == base ? parts(own, of: base) : parts(all, of: base)
        case .penalty: return assigned(line, section).map { [$0] } ?? []
        case .feeCut where line.rule == FeeTariff.budgetRule:
            return parts(document.sections.flatMap(\.lines).filter { $0.kind == "fee" }, of: base)
        case .fee, .feeCut, .waiver, .credit, .debit, nil: return []
        }
    }

    private func parts(_ lines: [StatementDocument.Line], of base: Cents?) -> [String] {
        guard !lines.isEmpty, Self.sum(lines) == base else { return [] }
        return ["its base is " + sum(lines)]
    }

    /// By rule and subject, ascending; of several delegations together.
    private func sum(_ lines: [StatementDocument.Line]) -> String {
        let groups = Dictionary(grouping: lines) { line in
            let name = line.subject.isEmpty ? line.rule : "\(line.rule) \(line.subject)"
            return ["fee", "penalty"].contains(line.kind) ? name : "\(name) (\(line.kind))"
        }
        return groups.keys.sorted().map { "\($0) \(grouped(Self.sum(groups[$0, default: []])))" }
            .joined(separator: " + ")
    }

    private static func part(_ line: StatementDocument.Line) -> StatementTotals.Part? {
        StatementLine.Kind(rawValue: line.kind)?.part.total
    }

    private static func sum(_ lines: [StatementDocument.Line]) -> Cents {
        lines.reduce(.zero) { $0 + $1.signed }
    }

    /// The accounts that advisers were required for (PEN-01).
    private func assigned(_ line: StatementDocument.Line, _ section: StatementDocument.Section) -> String? {
        guard let figures = section.indicators, figures.dealt[line.subject] != nil else { return nil }
        let taken = [
            ("withdrawn", figures.withdrawn), ("recalled", figures.recalled), ("excluded", figures.excluded),
            ("confirmed unlocatable", figures.unlocatable ?? [:]),
        ].map { ($0, $1[line.subject, default: 0]) }
        let dealt = figures.dealt[line.subject, default: 0]
        let left = taken.reduce(dealt) { $0 - $1.1 }
        return "assigned: \(grouped(dealt)) dealt"
            + taken.filter { $0.1 > 0 }.map { " − \(grouped($0.1)) \($0.0)" }.joined() + " = \(grouped(left))"
    }

    /// What earlier statements say of it: how much of a budget they used, and which of them paid what is given back.
    func earlier(_ line: StatementDocument.Line, _ contract: Int32, _ delegation: Int?) throws -> [String] {
        guard line.kind == "fee-cut" else { return [] }
        if line.rule == FeeTariff.budgetRule {
            return try store.billed(contract, before: period).map { "billed in \($0.period): \(grouped($0.fees))" }
        }
        let place = delegation.map { " --delegation \($0)" } ?? ""
        return [
            "paid by the statement of \(line.subject): `dispatcherd statement explain --period \(line.subject) --contract "
                + "\(contract)\(place) --rule \(line.rule)`"
        ]
    }

    // MARK: - Contingency

    /// The goal of the band, and what of it is where, as far as the agency has any of it elsewhere.
    func goal(
        _ line: StatementDocument.Line, _ section: StatementDocument.Section, _ document: StatementDocument
    ) -> [String] {
        guard line.kind == "fee", let band = MoraBand(rawValue: line.rule),
            let goal = section.bands?.first(where: { $0.band == line.rule })
        else { return [] }
        let places = documents.filter { $0.agency == document.agency }.flatMap { other in
            other.sections.compactMap { place in
                place.bands?.first { $0.band == line.rule }.map { (other.contract, place.delegation ?? 0, $0) }
            }
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
        let whose = section.delegation.map { "this contract in delegation \($0)" } ?? "this contract"
        let own = "goal of the band \(band.label): \(goal.percent) % recovered by \(whose)"
        // Of one place among several the minimum says nothing: it is the agency's over all of them (AMB-23).
        var words = [
            places.count > 1
                ? "\(own) alone; the minimum, \(goal.minimum) %, is the agency's over all that follows"
                : "\(own), minimum \(goal.minimum) %, " + (goal.percent >= goal.minimum ? "met" : "missed")
        ]
        words += places.map { contract, delegation, goal in
            let (recovered, assigned) = (Cents(pesos: goal.recovered) ?? .zero, Cents(pesos: goal.assigned) ?? .zero)
            return "of the agency in the band: contract \(contract), delegation \(delegation), "
                + "\(grouped(recovered)) recovered of \(grouped(assigned)) assigned"
        }
        return words
    }

    /// The accounts behind a line of contingency, or of what was given back of one, each with its payments. An account counts at most
    /// what was overdue of it (AMB-09).
    ///
    /// - Returns: the first of them, and how many there are.
    func accounts(
        _ line: StatementDocument.Line, contract: Int32, _ delegation: Int?
    ) throws -> (accounts: [Line.Account], count: Int) {
        guard let band = MoraBand(rawValue: line.rule), ["fee", "fee-cut"].contains(line.kind),
            let delegation = delegation.flatMap({ Int16(exactly: $0) })
        else { return ([], 0) }
        let isTaken = line.kind == "fee-cut"
        // What is given back was counted by the month that its line names.
        let found = try store.payments(
            line.facts, contract: contract, delegation: delegation,
            isTaken ? Period(text: line.subject) ?? period : period, band: band,
            isTaken: isTaken, accountsMax: recordsMax)
        let groups = Dictionary(grouping: found.payments) { $0.row.account }
        let accounts = groups.keys.sorted().map { account in
            let payments = groups[account, default: []]
            let sum = payments.reduce(Cents.zero) { $0 + ($1.row.reverses == nil ? $1.row.amount : -$1.row.amount) }
            return Line.Account(
                account: "\(account)", daysLate: payments[0].daysLate, overdue: payments[0].overdue?.description,
                paid: sum.description,
                payments: payments.map { payment in
                    Line.Payment(
                        payment: payment.row.id, paidOn: "\(payment.row.paidOn)", feed: "\(payment.row.period)",
                        amount: payment.row.amount.description, origin: payment.row.origin,
                        reverses: payment.row.reverses, file: payment.file,
                        receipt: LedgerTree.hex(LedgerRecord.payment(payment.row).receipt))
                })
        }
        return (accounts, found.accountCount)
    }

    // MARK: - Facts

    /// What supervision recorded, what persons decided, the earlier breaches of recidivism; a number that nothing is known of stays one.
    func facts(_ line: StatementDocument.Line, _ contract: Int32, _ delegation: Int?) throws -> [Line.Fact] {
        // Payments stand with their accounts.
        guard MoraBand(rawValue: line.rule) == nil || !["fee", "fee-cut"].contains(line.kind) else { return [] }
        let known = try store.facts(line.facts)
        var facts = try known.map { try fact($0, contract) }
        for other in Set(line.facts).subtracting(known.map(\.row.id)).sorted() {
            facts += try self.other(other, contract, delegation)
        }
        return facts
    }

    private func fact(_ fact: ExplainStore.Fact, _ contract: Int32) throws -> Line.Fact {
        let row = fact.row
        var text = "\(row.id): \(row.kind) of \(row.on)"
        if let subject = row.subject { text += ", \(subject)" }
        var counted: [Int64] = []
        if row.kind == "goal", row.value.isEmpty {
            let parts = (row.subject ?? "").split(separator: ":", maxSplits: 1).map(String.init)
            let indicator = parts.first.flatMap(WorkGoal.Indicator.init)
            if let indicator, indicator.isCount {
                counted = try store.counted(
                    indicator, tactic: parts.count > 1 ? parts[1] : nil,
                    StatementPlace(contract: contract, delegation: row.delegation.value), period)
                text += ": \(grouped(Int64(counted.count))) accounts counted from valid outcomes"
            } else {
                text += ": counted from the payments of the month"
            }
        } else {
            text += " = \(row.value)"
        }
        if let minimum = row.minimum { text += ", minimum \(minimum)" }
        if let weight = row.weight { text += ", weight \(weight)" }
        if let former = row.supersedes { text += ", in the place of \(former)" }
        if let note = fact.note { text += " (\(note))" }
        return Line.Fact(
            text: text + ", from \(fact.file)", receipt: LedgerTree.hex(LedgerRecord.fact(row).receipt),
            recordCount: counted.count, records: try records(counted, row.delegation))
    }

    private func other(_ name: String, _ contract: Int32, _ delegation: Int?) throws -> [Line.Fact] {
        if name.hasPrefix("A-"), let number = Int64(name.dropFirst(2)),
            let row = try stages.adjustments(nil, number: number).first
        {
            return try adjustment(row)
        }
        let parts = name.split(separator: "/").map(String.init)
        if parts.count == 2, let month = Period(text: parts[0]), PenaltyRule(rawValue: parts[1]) != nil,
            let delegation = delegation.flatMap({ Int16(exactly: $0) })
        {
            let place = StatementPlace(contract: contract, delegation: delegation)
            let sources = try breach(of: month, parts[1], place)
            return [Line.Fact("\(name): a breach of \(month)" + sources.map { "; \($0)" }.joined())]
        }
        return [Line.Fact(name)]
    }

    /// Where a breach that recidivism counts was charged, each with the command that explains it: in its own month, in the delegation or
    /// on the whole invoice, by a debit since; or the opening that brought it.
    private func breach(of month: Period, _ rule: String, _ place: StatementPlace) throws -> [String] {
        let found = try store.breach(rule, of: month, place, until: period)
        var (isThere, isOnInvoice) = (found.isChargedThere, found.isChargedOnInvoice)
        if month == period, let own = documents.first(where: { $0.contract == Int(place.contract) }) {
            func isCharged(_ delegation: Int?) -> Bool {
                own.sections.contains { section in
                    section.delegation == delegation
                        && section.lines.contains { $0.kind == "penalty" && $0.rule == rule }
                }
            }
            (isThere, isOnInvoice) = (isCharged(Int(place.delegation)), isCharged(nil))
        }
        func command(_ asked: Period, isThere: Bool) -> String {
            "`dispatcherd statement explain --period \(asked)" + (isFinal || asked != period ? "" : " --pre")
                + " --contract \(place.contract)" + (isThere ? " --delegation \(place.delegation)" : "")
                + " --rule \(rule)`"
        }
        var sources: [String] = []
        if isThere { sources.append(command(month, isThere: true)) }
        if isOnInvoice { sources.append("on the whole invoice: " + command(month, isThere: false)) }
        sources += found.debits.map { debit in
            "by the debit A-\(debit.number) in the statement of \(debit.period): "
                + command(debit.period, isThere: true)
        }
        if let file = found.file { sources.append("brought by an opening, \(file)") }
        return sources
    }

    /// Who proposed and decided it, why, and the objection that it came of.
    private func adjustment(_ row: StageStore.AdjustmentRow) throws -> [Line.Fact] {
        let about = row.adjustment.about
        var text =
            "\(row.adjustment.reference): \(row.adjustment.kind.rawValue) about \(row.adjustment.rule) of \(about)"
        if let amount = row.adjustment.amount { text += ", \(grouped(amount))" }
        text += ", proposed by \(row.proposedBy): \(row.adjustment.reason)"
        if let by = row.decidedBy {
            text += "; \(row.decision ?? "") by \(by)" + (row.decisionReason.map { ": \($0)" } ?? "")
        }
        if about < row.period {
            text +=
                "; `dispatcherd statement explain --period \(about) --contract \(row.contract) --rule "
                + "\(row.adjustment.rule)` has what it is about"
        }
        var facts = [Line.Fact(text: text, receipt: LedgerTree.hex(LedgerRecord.adjustment(row).receipt))]
        if let number = try store.objection(ofAdjustment: row.adjustment.number),
            let objection = try stages.objections(nil, number: number).first
        {
            var words = "objection \(number) by \(objection.raisedBy) at \(objection.raisedAt): \(objection.reason)"
            if let decision = objection.decision {
                words += "; \(decision) by \(objection.decidedBy ?? ""): \(objection.decisionReason ?? "")"
            }
            facts.append(Line.Fact(text: words, receipt: LedgerTree.hex(LedgerRecord.objection(objection).receipt)))
        }
        return facts
    }

    // MARK: - Outcomes

    func records(_ numbers: [Int64], _ delegation: Delegation) throws -> [StatementExplanation.Record] {
        try store.outcomes(Array(numbers.prefix(recordsMax)), delegation, period).map(StatementExplanation.Record.init)
    }
}

extension StatementExplanation.Record {
    init(_ outcome: ExplainStore.Outcome) {
        self.outcome = outcome.row.number
        account = "\(outcome.row.account)"
        worked = "\(outcome.row.workedAt)"
        channel = outcome.row.channel
        result = outcome.row.result
        review = outcome.review.map { "\($0.decision) by \($0.reviewer): \($0.reason)" }
        receipt = LedgerTree.hex(LedgerRecord.outcome(outcome.row).receipt)
    }
}

extension StatementDocument.Line {
    /// Below zero where it lowers its total.
    var signed: Cents {
        let own = Cents(pesos: amount) ?? .zero
        return StatementLine.Kind(rawValue: kind)?.part.isLowering == true ? -own : own
    }
}

extension StatementDocument {
    /// The receipt of the record that the ledger has of a section, and with it of the whole statement; what falls on the whole invoice
    /// goes with the first delegation, or into the first chain where the statement has none.
    func receipt(of section: Section, digest: [UInt8], _ period: Period) -> String {
        let recorded = section.delegation == nil ? sections.first { $0.delegation != nil } : section
        let delegation = recorded?.delegation.flatMap { Int16(exactly: $0) }.flatMap(Delegation.init)
        let totals = recorded?.totals ?? self.totals
        let record = LedgerRecord.statement(
            contract: Int32(contract), delegation: delegation ?? LedgerRecord.chain(of: nil), period: period,
            digest: digest,
            sums: (totals.fees, totals.penalties, totals.payable))
        return LedgerTree.hex(record.receipt)
    }
}
