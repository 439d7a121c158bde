// SPDX-License-Identifier: Apache-2.0

extension PenaltyTerms {
    /// The penalties on the whole invoice, in the order of the rules; each at most once a month. Absence and the improvement plan are
    /// among them where the schedule says so: once for all delegations, by the highest impact of any.
    ///
    /// - Parameter invoice: all of the contract's fees of the period, before IVA.
    /// - Source: PEN-06, PEN-20…22; PEN-03, PEN-04 (AMB-07, AMB-08).
    package func lines(onInvoiceOf months: [DelegationMonth], invoice: Cents) -> [StatementLine] {
        let scores = months.flatMap(\.scores)
        var lines: [StatementLine] = []
        if absenceScope == .invoice, let line = absenceLine(months, invoice) { lines.append(line) }
        if improvementScope == .invoice, let line = improvementLine(months, invoice) { lines.append(line) }
        for (rule, limit) in [
            (PenaltyRule.telephoneQuality, telephoneQuality), (.preventiveQuality, preventiveQuality),
        ] {
            if let limit, let line = qualityLine(rule, limit, scores, invoice) { lines.append(line) }
        }
        lines += requirementLines(months.flatMap(\.requirements), invoice)
        if let line = preventivePlanLine(months, invoice) { lines.append(line) }
        return lines
    }

    /// The month's evaluation is the weighted mean of its scores; below the limit, strictly, is a breach, or where the contract reads the
    /// threshold so, as much of it failed (AMB-21).
    private func qualityLine(
        _ rule: PenaltyRule, _ limit: Limit, _ scores: [QualityScore], _ invoice: Cents
    ) -> StatementLine? {
        let weights = scores.reduce(Int128(0)) { $0 + Int128($1.weight) }
        let sum = scores.reduce(Int128(0)) { $0 + Int128($1.score.value) * Int128($1.weight) }
        guard weights > 0 else { return nil }
        let whole = Int128(BasisPoints.whole) * weights
        let mean = hundredthsText(Int64(truncatingIfNeeded: sum / weights))
        let failed = hundredthsText(Int64(truncatingIfNeeded: (whole - sum) / weights))
        switch limit.reading {
        case .score where sum < Int128(limit.threshold.value) * weights:
            return line(
                rule, invoice, limit.rate, facts: scores.map(\.fact).sorted(),
                because: StatementNote(
                    spanish: "evaluación \(mean) % < \(limit.threshold) %",
                    english: "evaluation \(mean) % < \(limit.threshold) %"))
        case .failed where whole - sum >= Int128(limit.threshold.value) * weights:
            return line(
                rule, invoice, limit.rate, facts: scores.map(\.fact).sorted(),
                because: StatementNote(
                    spanish: "evaluación incumplida en \(failed) % ≥ \(limit.threshold) %",
                    english: "evaluation failed by \(failed) % ≥ \(limit.threshold) %"))
        case .score, .failed: return nil
        }
    }

    /// One charge however many requirements failed, or one each.
    private func requirementLines(_ requirements: [Requirement], _ invoice: Cents) -> [StatementLine] {
        let failed = requirements.filter { !$0.isMet }.map(\.fact).sorted()
        guard let preventiveRequirement, !failed.isEmpty else { return [] }
        switch requirementCharge {
        case .once:
            return [
                line(
                    .preventiveRequirement, invoice, preventiveRequirement, facts: failed,
                    because: StatementNote(
                        spanish: counted(Int64(failed.count), "requerimiento", "requerimientos")
                            + " sin cumplir; un solo cargo por mes",
                        english: counted(Int64(failed.count), "requirement", "requirements")
                            + " not met; one charge per month"))
            ]
        case .each:
            return failed.map { fact in
                line(
                    .preventiveRequirement, invoice, preventiveRequirement, facts: [fact],
                    because: StatementNote(
                        spanish: "requerimiento sin cumplir; un cargo por cada uno",
                        english: "requirement not met; one charge for each"))
            }
        }
    }

    /// What of the month's penalties is not charged because they pass the contract's limit; `nil` where they do not.
    func capLine(penalties: Cents, invoice: Cents) -> StatementLine? {
        guard let cap, penalties > invoice.charge(cap) else { return nil }
        let most = invoice.charge(cap)
        let amount = penalties - most
        return StatementLine(
            kind: .penaltyCap, rule: Self.capRule, schedule: version, subject: "",
            clause: "Tope de penas del mes: no más que el porcentaje pactado de la factura.", base: .amount(invoice),
            rate: .percent(cap), amount: amount, facts: [], records: [],
            arithmetic: StatementNote(
                spanish: "penas \(grouped(penalties)); tope \(cap) % de \(grouped(invoice)) = \(grouped(most)); "
                    + "no se cobran \(grouped(amount))",
                english: "penalties \(grouped(penalties)); limit \(cap) % of \(grouped(invoice)) = \(grouped(most)); "
                    + "\(grouped(amount)) are not charged"))
    }

    /// The plan is judged per delegation (WP-02); missed in one, it was not met.
    private func preventivePlanLine(_ months: [DelegationMonth], _ invoice: Cents) -> StatementLine? {
        guard let plan = preventiveWorkPlan else { return nil }
        let missed = months.sorted { $0.delegation < $1.delegation }.compactMap { month in
            plan.verdict(month.goals).flatMap { $0.isBreach ? (month.delegation, $0) : nil }
        }
        guard !missed.isEmpty else { return nil }
        let words = missed.map { "\($0.0.name) \($0.1.sum) = \(hundredthsText($0.1.judged)) %" }.joined(separator: ", ")
        return line(
            .preventiveWorkPlan, invoice, plan.rate, facts: missed.flatMap(\.1.facts).sorted(),
            because: StatementNote(
                spanish: "bajo el \(plan.threshold) % del mínimo, \(plan.aggregation.spanish) \(words)",
                english: "below \(plan.threshold) % of the minimum, \(plan.aggregation.english) \(words)"))
    }

    // MARK: - Lines

    /// A percentage of an invoice, rounded half away from zero.
    func line(
        _ rule: PenaltyRule, _ invoice: Cents, _ rate: BasisPoints, facts: [String] = [], records: [Int64] = [],
        because words: StatementNote
    ) -> StatementLine {
        let amount = invoice.charge(rate)
        return line(
            rule, subject: "", base: .amount(invoice), rate: .percent(rate), amount: amount, facts: facts,
            records: records,
            arithmetic: StatementNote(
                spanish: "\(words.spanish); \(rate) % de \(grouped(invoice)) = \(grouped(amount))",
                english: "\(words.english); \(rate) % of \(grouped(invoice)) = \(grouped(amount))"))
    }

    func line(
        _ rule: PenaltyRule, subject: String, base: StatementLine.Base, rate: StatementLine.Rate, amount: Cents,
        facts: [String], records: [Int64] = [], arithmetic: StatementNote
    ) -> StatementLine {
        StatementLine(
            kind: .penalty, rule: rule.rawValue, schedule: version, subject: subject, clause: rule.clause, base: base,
            rate: rate, amount: amount, facts: facts, records: records, arithmetic: arithmetic)
    }

    /// IVA, last: one line on the fees and one on the penalties of a section, each on their sum (AMB-19, PEN-30).
    ///
    /// A penalty that is given back counts with the fees, and carries IVA there where it carried any. Fees that are taken back count with the
    /// penalties, and carry the fees' IVA there, also where penalties carry none.
    func taxLines(on charges: [StatementLine]) -> [StatementLine] {
        let totals = StatementTotals(of: charges)
        let untaxed = isTaxOnPenalties ? .zero : charges.creditedPenalties
        return [
            (StatementLine.Kind.taxOnFees, totals.fees - untaxed, "honorarios"),
            isTaxOnPenalties
                ? (.taxOnPenalties, totals.penalties, "penas")
                : (.taxOnPenalties, charges.debitedFees, "honorarios a cargo"),
        ].compactMap { kind, base, word in
            guard base != .zero else { return nil }
            let amount = base.charge(tax)
            return StatementLine(
                kind: kind, rule: Self.taxRule, schedule: version, subject: "", clause: "IVA sobre \(word).",
                base: .amount(base), rate: .percent(tax), amount: amount, facts: [], records: [],
                arithmetic: StatementNote(
                    spanish: "\(tax) % de \(grouped(base)) = \(grouped(amount))",
                    english: "\(tax) % of \(grouped(base)) = \(grouped(amount))"))
        }
    }
}
