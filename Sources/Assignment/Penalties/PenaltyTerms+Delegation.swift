// SPDX-License-Identifier: Apache-2.0

extension PenaltyTerms {
    /// The penalties of one delegation, in the order of the rules. All that apply stack (AMB-15); each is a
    /// rate of this delegation's invoice or a price per adviser.
    ///
    /// - Parameters:
    ///   - invoice: the contract's fees in that delegation and period, before IVA: the percentages' base.
    ///   - waived: what of ``lines(onInvoiceOf:invoice:)`` two persons waived as a whole: it is no breach in any delegation.
    /// - Source: PEN-01…05, PEN-07, PEN-08.
    package func lines(
        for month: DelegationMonth, in period: Period, invoice: Cents, waived: [PenaltyRule] = []
    ) -> [StatementLine] {
        var lines = capacityLines(month)
        if let line = workPlanLine(month, invoice) { lines.append(line) }
        if absenceScope == .delegation, let line = absenceLine([month], invoice) { lines.append(line) }
        if improvementScope == .delegation, let line = improvementLine([month], invoice) { lines.append(line) }
        for (rule, limit, reviewClass) in [
            (PenaltyRule.dwelling, dwelling, ReviewClass.dwelling), (.agreement, agreement, .agreement),
        ] {
            if let limit, let line = rejectionLine(rule, limit, reviewClass, month, invoice) { lines.append(line) }
        }
        // What two persons waived as a whole is no breach of this month either.
        let breaches =
            lines.compactMap { PenaltyRule(rawValue: $0.rule) }
            .filter { PenaltyRule.recidivismCounts.contains($0) }
            .filter { !month.adjustments.waives($0, among: lines, StatementSchedules(penalties: version)) }
            + PenaltyRule.recidivismCounts.filter { isBreachedOnInvoice($0, by: month) && !waived.contains($0) }
        if let line = recidivismLine(month, period, now: breaches, invoice) { lines.append(line) }
        return lines
    }

    private func capacityLines(_ month: DelegationMonth) -> [StatementLine] {
        guard let capacity else { return [] }
        return month.needs.sorted { $0.portfolio < $1.portfolio }.flatMap { need in
            let reports =
                switch capacity.report {
                case .last: need.staffing.map { [$0] } ?? []
                case .each: need.reports
                }
            return reports.compactMap {
                capacityLine(capacity, need, $0, assigned: month.indicators.assigned(need.portfolio))
            }
        }
    }

    private func capacityLine(
        _ capacity: Capacity, _ need: StaffingNeed, _ staffing: Staffing, assigned: Int64
    ) -> StatementLine? {
        let required = need.required(for: assigned)
        guard staffing.present < required else { return nil }
        let missing = required - staffing.present
        let (price, one, several, english) =
            switch need.portfolio {
            case .telephone:
                (capacity.perTelephoneAdviser, "asesor telefónico", "asesores telefónicos", "telephone adviser")
            case .homeVisit:
                (capacity.perHomeVisitAdviser, "asesor domiciliario", "asesores domiciliarios", "home-visit adviser")
            }
        let amount = price.times(missing)
        return line(
            .capacity, subject: need.portfolio.name, base: .count(missing, of: missing == 1 ? one : several),
            rate: .price(price), amount: amount, facts: [staffing.fact],
            arithmetic: StatementNote(
                spanish: "\(counted(assigned, "cuenta", "cuentas")) ÷ \(grouped(need.accountsPerAdviser)) por asesor = "
                    + counted(required, "\(one) requerido", "\(several) requeridos") + "; "
                    + counted(staffing.present, "presente", "presentes") + "; "
                    + "\(missing == 1 ? "falta" : "faltan") \(grouped(missing)) × \(grouped(price)) = \(grouped(amount))",
                english:
                    "\(counted(assigned, "account", "accounts")) ÷ \(grouped(need.accountsPerAdviser)) per adviser = "
                    + "\(counted(required, english, english + "s")) required; \(grouped(staffing.present)) present; "
                    + "\(grouped(missing)) missing × \(grouped(price)) = \(grouped(amount))"))
    }

    private func workPlanLine(_ month: DelegationMonth, _ invoice: Cents) -> StatementLine? {
        guard let workPlan, let verdict = workPlan.verdict(month.goals), verdict.isBreach else { return nil }
        let sum = "\(verdict.sum) = \(hundredthsText(verdict.judged)) %"
        return line(
            .workPlan, invoice, workPlan.rate, facts: verdict.facts,
            because: StatementNote(
                spanish: "\(workPlan.aggregation.spanish) \(sum) del mínimo < \(workPlan.threshold) %",
                english: "\(workPlan.aggregation.english) \(sum) of the minimum < \(workPlan.threshold) %"))
    }

    /// Whether a delegation has a part in a charge that the schedule puts on the whole invoice, once for all (AMB-07, AMB-08).
    func isBreachedOnInvoice(_ rule: PenaltyRule, by month: DelegationMonth) -> Bool {
        switch rule {
        case .absence: absence != nil && absenceScope == .invoice && month.visits.contains(where: \.isBreach)
        case .improvement:
            improvement != nil && improvementScope == .invoice && month.commitments.contains { $0.isMet == false }
        case .capacity, .workPlan, .dwelling, .telephoneQuality, .agreement, .recidivism, .preventiveQuality,
            .preventiveRequirement, .preventiveWorkPlan:
            false
        }
    }

    func absenceLine(_ months: [DelegationMonth], _ invoice: Cents) -> StatementLine? {
        let breaches = months.flatMap(\.visits).filter(\.isBreach)
        guard let absence, !breaches.isEmpty else { return nil }
        let (spanish, english) =
            switch absenceScope {
            case .delegation: ("un solo cargo por Delegación y mes", "one charge per delegation and month")
            case .invoice: ("un solo cargo por mes", "one charge per month")
            }
        return line(
            .absence, invoice, absence, facts: breaches.map(\.fact).sorted(),
            because: StatementNote(
                spanish: "\(counted(Int64(breaches.count), "visita", "visitas")) con hallazgo; \(spanish)",
                english: "\(breaches.count) visit(s) with a finding; \(english)"))
    }

    /// Whether there are goals and none that the work plan could be judged by: a minimum or a weight of zero asks for nothing. Not where the
    /// institution took all of the accounts.
    package func hasIdlePlan(_ month: DelegationMonth) -> Bool {
        guard workPlan != nil || preventiveWorkPlan != nil, !month.goals.isEmpty else { return false }
        return month.goals.allSatisfy(\.isIdle)
    }

    /// Commitments that are due by the month's end and that nobody judged, by day and number; none where the schedule has no PEN-04.
    package func undecidedCommitments(of month: DelegationMonth) -> [Commitment] {
        guard improvement != nil else { return [] }
        return month.commitments.filter { $0.isMet == nil }.sorted { ($0.on, $0.fact) < ($1.on, $1.fact) }
    }

    func improvementLine(_ months: [DelegationMonth], _ invoice: Cents) -> StatementLine? {
        let breaches = months.flatMap(\.commitments).filter { $0.isMet == false }
        guard let improvement, let worst = breaches.map(\.impact).max(), let rate = improvement[worst] else {
            return nil
        }
        return line(
            .improvement, invoice, rate, facts: breaches.map(\.fact).sorted(),
            because: StatementNote(
                spanish:
                    "\(counted(Int64(breaches.count), "compromiso", "compromisos")) sin cumplir; el de mayor impacto, \(worst.spanish), una vez",
                english: "\(breaches.count) commitment(s) not met; that of the highest impact, \(worst.rawValue), once")
        )
    }

    private func rejectionLine(
        _ rule: PenaltyRule, _ limit: Limit, _ reviewClass: ReviewClass, _ month: DelegationMonth, _ invoice: Cents
    ) -> StatementLine? {
        guard let count = month.reviews.first(where: { $0.reviewClass == reviewClass }), limit.isBreached(by: count)
        else { return nil }
        let rejected = Int64(count.rejected.count)
        let all = limit.base(of: count)
        let share = percentText(rejected, of: all)
        let words =
            switch limit.over {
            case .reviewed: StatementNote(spanish: "revisadas", english: "reviewed")
            case .submitted: StatementNote(spanish: "enviadas", english: "sent in")
            }
        return line(
            rule, invoice, limit.rate, records: count.rejected,
            because: StatementNote(
                spanish:
                    "\(grouped(rejected)) rechazadas de \(grouped(all)) \(words.spanish) = \(share) % > \(limit.threshold) %",
                english:
                    "\(grouped(rejected)) rejected of \(grouped(all)) \(words.english) = \(share) % > \(limit.threshold) %"
            ))
    }

    /// One charge per month while the work plan and the improvement plan together were breached `count` times or more
    /// in the `months` calendar months that end with this one (AMB-16).
    private func recidivismLine(
        _ month: DelegationMonth, _ period: Period, now breaches: [PenaltyRule], _ invoice: Cents
    ) -> StatementLine? {
        guard let recidivism else { return nil }
        let first = recidivism.first(of: period)
        let counted =
            month.earlierBreaches.filter {
                $0.period >= first && $0.period < period && PenaltyRule.recidivismCounts.contains($0.rule)
            } + breaches.map { EarlierBreach(period: period, rule: $0) }
        guard counted.count >= recidivism.count else { return nil }
        return line(
            .recidivism, invoice, recidivism.rate, facts: counted.map(\.reference).sorted(),
            because: StatementNote(
                spanish: "\(counted.count) incumplimientos de \(first) a \(period), límite \(recidivism.count)",
                english: "\(counted.count) breaches from \(first) to \(period), limit \(recidivism.count)"))
    }
}

extension PenaltyTerms.Limit {
    /// What rejections are divided by (AMB-17).
    func base(of count: ReviewCount) -> Int64 {
        switch over {
        case .reviewed: count.reviewed
        case .submitted: count.reviewed + count.pending
        }
    }

    /// Strictly above: exactly the limit is no breach. 128 bits, so that no count can overflow.
    func isBreached(by count: ReviewCount) -> Bool {
        count.reviewed >= Int64(max(1, sample))
            && Int128(count.rejected.count) * Int128(BasisPoints.whole) > Int128(threshold.value)
                * Int128(base(of: count))
    }
}

extension PenaltyTerms.Plan {
    func verdict(_ goals: [Goal]) -> GoalVerdict? {
        GoalVerdict(goals, threshold: threshold, aggregation: aggregation)
    }
}

extension GoalAggregation {
    var spanish: String {
        switch self {
        case .any: "meta más baja:"
        case .mean: "media ponderada:"
        }
    }

    var english: String {
        switch self {
        case .any: "lowest goal:"
        case .mean: "weighted mean:"
        }
    }
}
