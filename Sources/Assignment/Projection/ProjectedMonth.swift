// SPDX-License-Identifier: Apache-2.0

/// How a running month would end if it went on as it has so far: each penalty and minimum of one contract.
///
/// Work and money grow in proportion to the days; ratios, staffing and what supervision found stay as they are. Charges are those
/// of ``PenaltyTerms`` itself, on the month as projected.
package struct ProjectedMonth: Sendable {
    /// How much of the month has passed, in days, the current one included.
    package struct Progress: Equatable, Sendable {
        package let elapsed: Int64
        package let days: Int64

        /// - Parameter elapsed: 1...days.
        package init(elapsed: Int64, days: Int64) {
            self.elapsed = min(max(1, elapsed), days)
            self.days = days
        }

        /// Cut off.
        package func whole(_ value: Int64) -> Int64 { Int64(clamping: Int128(value) * Int128(days) / Int128(elapsed)) }
    }

    package enum Level: String, Sendable, CaseIterable {
        /// It ends in a charge, or below the minimum.
        case breach
        /// It ends within a tenth of the limit.
        case risk
        case fine
    }

    package struct Line: Equatable, Sendable {
        /// `nil`: the whole invoice.
        package let delegation: Delegation?
        package let rule: String
        /// A portfolio, a band, or of a plan's goals the indicators that are short of them, else all of them, joined by `+`; empty
        /// where the rule alone says it.
        package let subject: String
        package let level: Level
        /// Where it stands, what it must reach or not pass, and where it would end: advisers for PEN-01, breaches for PEN-08, findings
        /// for PEN-03, PEN-04 and PEN-21, else percent with two decimals.
        package let now: String
        package let limit: String
        package let end: String
        /// What would be charged, before IVA.
        package let charge: Cents
        /// How much is missing: advisers, approvals, pesos or accounts; empty where nothing helps any more.
        package let need: String
        /// The same in words.
        package let mend: String

        /// What ``need`` counts; `nil` where nothing is needed.
        package var unit: String? {
            guard !need.isEmpty else { return nil }
            return switch PenaltyRule(rawValue: rule) {
            case .capacity: "advisers"
            case .dwelling, .agreement: "approvals"
            case .improvement: "commitments"
            case .workPlan, .preventiveWorkPlan:
                subject == WorkGoal.Indicator.recovered.rawValue ? "pesos" : "accounts"
            default: rule == "SUS-01" || rule == FeeTariff.budgetRule ? "pesos" : nil
            }
        }

        package init(
            delegation: Delegation?, rule: String, subject: String, level: Level, now: String, limit: String,
            end: String, charge: Cents, need: String, mend: String
        ) {
            self.delegation = delegation
            self.rule = rule
            self.subject = subject
            self.level = level
            self.now = now
            self.limit = limit
            self.end = end
            self.charge = charge
            self.need = need
            self.mend = mend
        }
    }

    package let lines: [Line]

    package init(
        _ month: ContractMonth, tariff: FeeTariff, terms: PenaltyTerms, progress: Progress
    ) throws(ScheduleError) {
        let delegations = month.delegations.sorted { $0.delegation < $1.delegation }
        var fees: [Delegation: Cents] = [:]
        for delegation in delegations {
            let billed = try tariff.lines(for: delegation.billed, bands: delegation.bands)
            fees[delegation.delegation] = Cents(progress.whole(StatementTotals(of: billed).fees.value))
        }
        let whole = fees.values.reduce(Cents.zero, +)
        let projected = delegations.map { $0.projected(progress) }
        let onInvoice = terms.lines(onInvoiceOf: projected, invoice: whole)
        var lines: [Line] = []
        var told: Set<String> = []
        for (now, end) in zip(delegations, projected) {
            var charges = terms.lines(for: end, in: month.period, invoice: fees[now.delegation] ?? .zero)
            // What is charged once for all delegations is told in each that breached it, and its amount in the first.
            for line in onInvoice
            where PenaltyRule(rawValue: line.rule).map({ terms.isBreachedOnInvoice($0, by: end) }) ?? false {
                charges.append(told.insert(line.rule).inserted ? line : line.ofNothing)
            }
            lines += ProjectionWords(terms, progress).lines(now, end, charges, month.period)
            lines += tariff.goals(now.bands, in: month.period).map { Self.line($0, now.delegation, progress) }
        }
        lines += ProjectionWords(terms, progress).invoiceLines(delegations, projected, onInvoice)
        let penalties = lines.reduce(Cents.zero) { $0 + $1.charge }
        lines += [
            Self.capLine(terms.capLine(penalties: penalties, invoice: whole), penalties, whole),
            Self.budgetLine(tariff.budget, before: month.spentBefore - month.givenBack, whole, progress),
        ].compactMap(\.self)
        self.lines = lines
    }

    /// The limit of a month's penalties (AMB-15): what the other lines would charge beyond it is not charged.
    private static func capLine(_ cap: StatementLine?, _ penalties: Cents, _ invoice: Cents) -> Line? {
        guard let cap, invoice > .zero, case .percent(let limit) = cap.rate else { return nil }
        let share = percentText(penalties.value, of: invoice.value)
        return Line(
            delegation: nil, rule: PenaltyTerms.capRule, subject: "", level: .risk, now: share,
            limit: hundredthsText(limit.value), end: share, charge: .zero, need: "",
            mend:
                "of penalties of \(grouped(penalties)) no more than \(grouped(penalties - cap.amount)) would be charged"
        )
    }

    /// A contract's budget (AGY-15), in percent of it: what goes beyond is not paid, and it ends the contract.
    private static func budgetLine(
        _ budget: Cents?, before: Cents, _ whole: Cents, _ progress: Progress
    ) -> Line? {
        guard let budget, budget > .zero else { return nil }
        let sofar =
            before + Cents(Int64(clamping: Int128(whole.value) * Int128(progress.elapsed) / Int128(progress.days)))
        let end = before + whole
        let left = max(budget - sofar, .zero)
        let isNear = Int128(end.value) * 10 >= Int128(budget.value) * 9
        return Line(
            delegation: nil, rule: FeeTariff.budgetRule, subject: "",
            level: end >= budget ? .breach : isNear ? .risk : .fine, now: percentText(sofar.value, of: budget.value),
            limit: "100.00", end: percentText(end.value, of: budget.value), charge: .zero, need: left.description,
            mend: "\(grouped(left)) of the budget of \(grouped(budget)) are left")
    }

    /// A band's minimum (SUS-01).
    private static func line(_ goal: BandGoal, _ delegation: Delegation, _ progress: Progress) -> Line {
        let end = BandGoal(
            period: goal.period, band: goal.band, assigned: goal.assigned,
            recovered: min(goal.assigned, Cents(progress.whole(goal.recovered.value))), minimum: goal.minimum,
            fraction: goal.fraction)
        let missing = max(.zero, goal.least - goal.recovered)
        let level: Level = end.isMissed ? .breach : end.percent < goal.minimum + 10 ? .risk : .fine
        return Line(
            delegation: delegation, rule: "SUS-01", subject: goal.band.rawValue,
            level: goal.assigned == .zero ? .fine : level,
            now: "\(goal.percent).00", limit: "\(goal.minimum).00", end: "\(end.percent).00", charge: .zero,
            need: missing == .zero ? "" : missing.description,
            mend: missing == .zero ? "" : "\(grouped(missing)) more recovered in band \(goal.band.label)")
    }
}

extension DelegationMonth {
    /// As it would be at the month's end: goals that are counted go on in proportion, at most to all that is assigned.
    fileprivate func projected(_ progress: ProjectedMonth.Progress) -> DelegationMonth {
        var month = self
        month.goals = goals.map { goal in
            guard goal.isCounted else { return goal }
            let most = goal.isMoney ? Int64.max : max(goal.achieved, indicators.assigned * WorkGoal.scale)
            return Goal(
                fact: goal.fact, indicator: goal.indicator, achieved: min(most, progress.whole(goal.achieved)),
                minimum: goal.minimum, weight: goal.weight, isCounted: true)
        }
        return month
    }
}
