// SPDX-License-Identifier: Apache-2.0

/// What two persons changed of a statement.
package struct Adjustment: Equatable, Sendable {
    /// As much as a file's amounts may be: what is more is a slip, and a sum of many has to stay a number.
    package static let amountMax = Cents(99_999_999_999_99)

    package enum Kind: String, Sendable, CaseIterable {
        /// Takes back what a rule charges in this statement.
        case waiver
        /// For the agency, or against it, about an earlier month; a credit also about the month itself, where an objection about fees
        /// was upheld.
        case credit, debit
    }

    package let number: Int64
    package let kind: Kind
    /// The rule that it is about; of a penalty with several lines, the line as ``PenaltySubject`` writes it: `PEN-01:telephone`.
    package let rule: String
    /// Before IVA; `nil` for a waiver of all that the rule charges.
    package let amount: Cents?
    /// The month that it is about.
    package let about: Period
    package let reason: String
    /// The objection that was upheld, where it came of one.
    package let objection: Int64?

    package init(
        number: Int64, kind: Kind, rule: String, amount: Cents?, about: Period, reason: String, objection: Int64? = nil
    ) {
        self.objection = objection
        self.number = number
        self.kind = kind
        self.rule = rule
        self.amount = amount
        self.about = about
        self.reason = reason
    }

    package var reference: String { Self.reference(number) }

    /// The same about another rule or line.
    package func ofRule(_ rule: String) -> Adjustment {
        Adjustment(
            number: number, kind: kind, rule: rule, amount: amount, about: about, reason: reason, objection: objection)
    }

    private static func reference(_ number: Int64) -> String { "A-\(number)" }

    /// Takes an approved adjustment of the same month out of force: neither has a line or a note. It is kept as a waiver whose rule is
    /// the other one's reference, so that both stay on record with their persons.
    package static func withdrawal(of number: Int64, in period: Period, reason: String) -> Adjustment {
        Adjustment(number: 0, kind: .waiver, rule: reference(number), amount: nil, about: period, reason: reason)
    }

    /// The adjustment that this one takes out of force; `nil` where it is none such.
    package var withdraws: Int64? {
        guard kind == .waiver, rule.hasPrefix("A-") else { return nil }
        return Int64(rule.dropFirst(2))
    }

    /// Its line in a section; `nil` where a waiver finds nothing to take back.
    ///
    /// - Parameter charge: what its rule charges there, if anything, and what of that no waiver before it took back.
    fileprivate func line(on charge: WaivableCharges.Charge?, _ schedules: StatementSchedules) -> StatementLine? {
        let version = schedules.version(of: rule)
        let words = { (spanish: String, english: String) in StatementNote(spanish: spanish, english: english) }
        switch kind {
        case .waiver:
            guard let charge else { return nil }
            let waived = min(amount ?? charge.left, charge.left)
            // A charge of nothing, on an invoice of nothing, is a breach all the same; only one who waives all of it waives that.
            guard waived > .zero || (charge.all == .zero && amount == nil) else { return nil }
            let subject = PenaltySubject(rule)
            let (spanish, english) = (subject.spanish, subject.english)
            return line(
                .waiver, waived, "Condonación de pena, autorizada.",
                words("de \(grouped(charge.left)) de \(spanish)", "of \(grouped(charge.left)) of \(english)"), version)
        case .credit, .debit:
            guard let amount else { return nil }
            let isCredit = kind == .credit
            let clause =
                objection == nil
                ? "Ajuste \(isCredit ? "a favor" : "a cargo") de la agencia por un periodo anterior, autorizado."
                : "Ajuste a favor de la agencia por una objeción procedente, autorizado."
            let cause = objection.map { words(", objeción \($0)", ", objection \($0)") } ?? words("", "")
            return line(
                isCredit ? .credit : .debit, amount, clause,
                words("sobre \(rule) de \(about)" + cause.spanish, "about \(rule) of \(about)" + cause.english), version
            )
        }
    }

    private func line(
        _ kind: StatementLine.Kind, _ amount: Cents, _ clause: String, _ words: StatementNote,
        _ version: ScheduleVersion
    ) -> StatementLine {
        let named = PenaltySubject(rule)
        return StatementLine(
            kind: kind, rule: named.rule, schedule: version,
            // Of another month its name tells more than the line's, which the arithmetic has.
            subject: (kind == .waiver ? named.subject : nil) ?? "\(about)", clause: clause,
            base: .count(1, of: "ajuste"),
            rate: .price(amount), amount: amount, facts: [reference], records: [],
            arithmetic: StatementNote(
                spanish: "\(grouped(amount)) \(words.spanish): \(reason)",
                english: "\(grouped(amount)) \(words.english): \(reason)"))
    }
}

/// The versions of schedules that a statement goes by.
struct StatementSchedules {
    let fees: ScheduleVersion
    let penalties: ScheduleVersion

    /// - Parameter fees: `nil`: nothing about fees is asked.
    init(fees: ScheduleVersion? = nil, penalties: ScheduleVersion) {
        self.fees = fees ?? penalties
        self.penalties = penalties
    }

    /// The one that an adjustment about a rule names: of penalties, or of fees and their budget.
    func version(of rule: String) -> ScheduleVersion {
        PenaltyRule(rawValue: PenaltySubject(rule).rule) == nil ? fees : penalties
    }
}

extension [Adjustment] {
    /// Their lines in a section, in the order of their numbers: each waiver takes from what those before it left.
    ///
    /// - Parameter charges: the section's other lines. What was withdrawn has no line, nor has its withdrawal.
    /// - Returns: the lines, and the waivers that found nothing to take back.
    func lines(
        among charges: [StatementLine], _ schedules: StatementSchedules
    ) -> (lines: [StatementLine], idle: [Adjustment]) {
        var left = WaivableCharges()
        for charge in charges where charge.kind == .penalty { left.add(PenaltySubject(charge), charge.amount) }
        var lines: [StatementLine] = []
        var idle: [Adjustment] = []
        for adjustment in inForce {
            let about = PenaltySubject(adjustment.rule)
            guard let line = adjustment.line(on: left.charge(about), schedules) else {
                idle.append(adjustment)
                continue
            }
            if line.kind == .waiver { left.waive(line.amount, of: about) }
            lines.append(line)
        }
        return (lines, idle)
    }

    /// Whether what a rule charges in a section is waived as a whole: then it was no breach.
    func waives(_ rule: PenaltyRule, among charges: [StatementLine], _ schedules: StatementSchedules) -> Bool {
        let waivers = lines(among: charges, schedules).lines.filter { $0.kind == .waiver && $0.rule == rule.rawValue }
        let charged = charges.filter { $0.kind == .penalty && $0.rule == rule.rawValue }
            .reduce(Cents.zero) { $0 + $1.amount }
        return !waivers.isEmpty && waivers.reduce(Cents.zero) { $0 + $1.amount } >= charged
    }
}
