// SPDX-License-Identifier: Apache-2.0

/// Where each rule of a schedule stands, and what would mend it.
struct ProjectionWords {
    private typealias Line = ProjectedMonth.Line
    private typealias Level = ProjectedMonth.Level

    private let terms: PenaltyTerms
    private let progress: ProjectedMonth.Progress

    init(_ terms: PenaltyTerms, _ progress: ProjectedMonth.Progress) {
        self.terms = terms
        self.progress = progress
    }

    /// How near to a limit, in hundredths of one percent, is a risk.
    private static let margin: Int64 = 1_000

    // MARK: - One delegation

    func lines(
        _ now: DelegationMonth, _ end: DelegationMonth, _ charges: [StatementLine], _ period: Period
    ) -> [ProjectedMonth.Line] {
        let place = now.delegation
        // A rule may charge more than once: missing advisers on each report (AMB-18).
        func charge(_ rule: PenaltyRule, _ subject: String = "") -> Cents? {
            let amounts = charges.filter { $0.rule == rule.rawValue && $0.subject == subject }.map(\.amount)
            return amounts.isEmpty ? nil : amounts.reduce(Cents.zero, +)
        }
        var lines: [Line] = capacity(now, charge)
        if let plan = terms.workPlan {
            lines += workPlan(.workPlan, plan, now, end, place, charge(.workPlan)).map { [$0] } ?? []
        }
        if terms.absence != nil {
            let found = now.visits.filter(\.isBreach).count
            lines += findings(.absence, found, place, charge(.absence), "").map { [$0] } ?? []
        }
        if terms.improvement != nil {
            lines += commitments(now, charge(.improvement)).map { [$0] } ?? []
        }
        for (rule, limit, kind) in [
            (PenaltyRule.dwelling, terms.dwelling, ReviewClass.dwelling),
            (.agreement, terms.agreement, .agreement),
        ] {
            guard let limit, let count = now.reviews.first(where: { $0.reviewClass == kind }), count.reviewed > 0 else {
                continue
            }
            lines.append(rejections(rule, limit, count, place, charge(rule)))
        }
        if let line = recidivism(now, charges, period, place, charge(.recidivism)) { lines.append(line) }
        return lines
    }

    private func capacity(_ now: DelegationMonth, _ charge: (PenaltyRule, String) -> Cents?) -> [ProjectedMonth.Line] {
        guard terms.capacity != nil else { return [] }
        return now.needs.sorted { $0.portfolio < $1.portfolio }.compactMap { need in
            let required = need.required(for: now.indicators.assigned(need.portfolio))
            guard required > 0 else { return nil }
            let present = need.staffing?.present
            let missing = max(0, required - (present ?? required))
            let charge = charge(.capacity, need.portfolio.name)
            return Line(
                delegation: now.delegation, rule: PenaltyRule.capacity.rawValue, subject: need.portfolio.name,
                level: missing > 0 || charge != nil ? .breach : present == nil ? .risk : .fine,
                now: present.map { "\($0)" } ?? "", limit: "\(required)", end: present.map { "\($0)" } ?? "",
                charge: charge ?? .zero, need: missing > 0 ? "\(missing)" : "",
                mend: missing > 0
                    ? "\(missing) more \(need.portfolio.name) advisers on the month's last staffing report"
                    : present == nil ? "staffing was not reported yet" : "")
        }
    }

    private func workPlan(
        _ rule: PenaltyRule, _ plan: PenaltyTerms.Plan, _ now: DelegationMonth, _ end: DelegationMonth,
        _ place: Delegation?, _ charge: Cents?
    ) -> ProjectedMonth.Line? {
        guard let sofar = plan.verdict(now.goals), let verdict = plan.verdict(end.goals) else { return nil }
        let missing = now.goals.sorted { $0.fact < $1.fact }.compactMap { goal -> (goal: Goal, units: Int64)? in
            let least = (Int128(goal.minimum) * Int128(plan.threshold.value) + 9_999) / 10_000
            let left = Int64(clamping: least) - goal.achieved
            guard left > 0, goal.weight > 0 else { return nil }
            return (goal, (left + WorkGoal.scale - 1) / WorkGoal.scale)
        }
        // Accounts and pesos have no sum; accounts are told first.
        let counted = missing.contains { !$0.goal.isMoney } ? missing.filter { !$0.goal.isMoney } : missing
        let words = missing.map { "\(grouped($0.units)) more \($0.goal.isMoney ? "pesos " : "")\($0.goal.indicator)" }
        let isNear = verdict.judged < plan.threshold.value + Self.margin
        let about = counted.isEmpty ? now.goals.filter { $0.weight > 0 } : counted.map(\.goal)
        return Line(
            delegation: place, rule: rule.rawValue,
            subject: Set(about.map(\.indicator)).sorted().joined(separator: "+"),
            level: verdict.isBreach ? .breach : isNear ? .risk : .fine, now: hundredthsText(sofar.judged),
            limit: plan.threshold.description, end: hundredthsText(verdict.judged), charge: charge ?? .zero,
            need: counted.isEmpty ? "" : "\(counted.reduce(0) { $0 + $1.units })",
            mend: words.joined(separator: ", "))
    }

    private func rejections(
        _ rule: PenaltyRule, _ limit: PenaltyTerms.Limit, _ count: ReviewCount, _ place: Delegation?, _ charge: Cents?
    ) -> ProjectedMonth.Line {
        let rejected = Int64(count.rejected.count)
        // So many reviews make exactly the limit, which is no breach.
        let enough =
            limit.threshold.value > 0
            ? (rejected * BasisPoints.whole + limit.threshold.value - 1) / limit.threshold.value : Int64.max
        let base = limit.base(of: count)
        let missing = limit.isBreached(by: count) ? max(0, enough - base) : 0
        let share = percentText(rejected, of: base)
        let isNear = rejected * BasisPoints.whole > (limit.threshold.value - Self.margin) * base && rejected > 0
        return Line(
            delegation: place, rule: rule.rawValue, subject: "",
            level: missing > 0 ? .breach : isNear ? .risk : .fine, now: share, limit: limit.threshold.description,
            end: share, charge: charge ?? .zero, need: missing > 0 && enough < Int64.max ? "\(missing)" : "",
            mend: missing > 0 && enough < Int64.max
                ? Self.mend(limit.over, missing: missing, rejected: rejected, count) : "")
    }

    /// What waits is counted already where rejections are over all that was submitted (AMB-17): to approve it mends nothing.
    private static func mend(
        _ over: PenaltyTerms.RejectionBase, missing: Int64, rejected: Int64, _ count: ReviewCount
    ) -> String {
        switch over {
        case .reviewed:
            "\(grouped(missing)) more approved: \(grouped(rejected)) of \(grouped(count.reviewed)) reviewed were rejected, "
                + "\(grouped(count.pending)) wait"
        case .submitted:
            "\(grouped(missing)) more submitted and not rejected: \(grouped(rejected)) of "
                + "\(grouped(count.reviewed + count.pending)) submitted were rejected"
        }
    }

    /// What was not met is a breach; what falls due in the month and was not judged yet can still be met.
    private func commitments(_ now: DelegationMonth, _ charge: Cents?) -> ProjectedMonth.Line? {
        let missed = now.commitments.count { $0.isMet == false }
        let due = terms.undecidedCommitments(of: now)
        let ahead = due.last.map { "\(due.count) due until \($0.on) to be met, and recorded as met" }
        guard missed == 0, let ahead else {
            let mend = ["a corrected fact once the commitments are met", ahead].compactMap(\.self)
            return findings(.improvement, missed, now.delegation, charge, mend.joined(separator: "; "))
        }
        return Line(
            delegation: now.delegation, rule: PenaltyRule.improvement.rawValue, subject: "", level: .risk, now: "0",
            limit: "0", end: "0", charge: .zero, need: "\(due.count)", mend: ahead)
    }

    private func findings(
        _ rule: PenaltyRule, _ found: Int, _ place: Delegation?, _ charge: Cents?, _ mend: String
    ) -> ProjectedMonth.Line? {
        guard found > 0 else { return nil }
        return Line(
            delegation: place, rule: rule.rawValue, subject: "", level: .breach, now: "\(found)", limit: "0",
            end: "\(found)", charge: charge ?? .zero, need: "", mend: mend)
    }

    private func recidivism(
        _ now: DelegationMonth, _ charges: [StatementLine], _ period: Period, _ place: Delegation?, _ charge: Cents?
    ) -> ProjectedMonth.Line? {
        guard let terms = terms.recidivism else { return nil }
        let first = terms.first(of: period)
        let earlier = now.earlierBreaches.count {
            $0.period >= first && $0.period < period && PenaltyRule.recidivismCounts.contains($0.rule)
        }
        let coming = charges.count { line in
            PenaltyRule(rawValue: line.rule).map(PenaltyRule.recidivismCounts.contains) ?? false
        }
        guard earlier + coming > 0 else { return nil }
        return Line(
            delegation: place, rule: PenaltyRule.recidivism.rawValue, subject: "",
            level: charge != nil ? .breach : earlier + coming + 1 >= terms.count ? .risk : .fine, now: "\(earlier)",
            limit: "\(terms.count)", end: "\(earlier + coming)", charge: charge ?? .zero, need: "",
            mend: charge != nil && coming > 0 ? "meet this month's work plan and commitments" : "")
    }

    // MARK: - The whole invoice

    func invoiceLines(
        _ now: [DelegationMonth], _ end: [DelegationMonth], _ charges: [StatementLine]
    ) -> [ProjectedMonth.Line] {
        func charge(_ rule: PenaltyRule) -> Cents? {
            let amounts = charges.filter { $0.rule == rule.rawValue }.map(\.amount)
            return amounts.isEmpty ? nil : amounts.reduce(Cents.zero, +)
        }
        var lines: [Line] = []
        for (rule, limit) in [
            (PenaltyRule.telephoneQuality, terms.telephoneQuality), (.preventiveQuality, terms.preventiveQuality),
        ] {
            let scores = now.flatMap(\.scores)
            let weights = scores.reduce(Int64(0)) { $0 + $1.weight }
            guard let limit, weights > 0 else { continue }
            let mean = scores.reduce(Int64(0)) { $0 + $1.score.value * $1.weight } / weights
            // What is shown stands against the threshold as the contract reads it.
            let (shown, isNear) =
                switch limit.reading {
                case .score: (mean, mean < limit.threshold.value + Self.margin)
                case .failed: (BasisPoints.whole - mean, BasisPoints.whole - mean > limit.threshold.value - Self.margin)
                }
            lines.append(
                Line(
                    delegation: nil, rule: rule.rawValue, subject: "",
                    level: charge(rule) != nil ? .breach : isNear ? .risk : .fine, now: hundredthsText(shown),
                    limit: limit.threshold.description, end: hundredthsText(shown), charge: charge(rule) ?? .zero,
                    need: "", mend: charge(rule) != nil ? "better scores in the evaluations to come" : ""))
        }
        if terms.preventiveRequirement != nil {
            let failed = now.flatMap(\.requirements).count { !$0.isMet }
            let mend = "a corrected fact once the requirements are met"
            lines +=
                findings(.preventiveRequirement, failed, nil, charge(.preventiveRequirement), mend).map { [$0] } ?? []
        }
        if let plan = terms.preventiveWorkPlan {
            let worst = zip(now, end).compactMap { now, end in
                workPlan(.preventiveWorkPlan, plan, now, end, now.delegation, charge(.preventiveWorkPlan))
            }
            // One charge for all delegations: it is told once, by the delegations that miss it.
            lines += worst.enumerated().map { index, line in
                let isFirst = worst.firstIndex { $0.level == .breach } == index
                return Line(
                    delegation: line.delegation, rule: line.rule, subject: line.subject, level: line.level,
                    now: line.now, limit: line.limit, end: line.end, charge: isFirst ? line.charge : .zero,
                    need: line.need, mend: line.mend)
            }
        }
        return lines
    }
}
