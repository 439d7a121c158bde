// SPDX-License-Identifier: Apache-2.0

/// What two persons changed of a statement.
package struct Adjustment: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Takes back what a rule charges in this statement.
        case waiver
        /// For the agency, or against it, about an earlier month.
        case credit, debit
    }

    package let number: Int64
    package let kind: Kind
    /// The rule that it is about.
    package let rule: String
    /// Before IVA; `nil` for a waiver of all that the rule charges.
    package let amount: Cents?
    /// The month that it is about.
    package let about: Period
    package let reason: String

    package init(number: Int64, kind: Kind, rule: String, amount: Cents?, about: Period, reason: String) {
        self.number = number
        self.kind = kind
        self.rule = rule
        self.amount = amount
        self.about = about
        self.reason = reason
    }

    package var reference: String { "A-\(number)" }

    /// Its line in a section; `nil` where a waiver finds nothing to take back.
    ///
    /// - Parameter charges: the section's other lines.
    func line(among charges: [StatementLine], _ version: ScheduleVersion) -> StatementLine? {
        switch kind {
        case .waiver:
            let charged = charges.filter { $0.kind == .penalty && $0.rule == rule }.reduce(Cents.zero) {
                $0 + $1.amount
            }
            let waived = min(amount ?? charged, charged)
            guard waived > .zero else { return nil }
            return line(
                .waiver, waived, "Condonación de pena, autorizada.", "de \(grouped(charged)) de \(rule)", version)
        case .credit, .debit:
            guard let amount else { return nil }
            let isCredit = kind == .credit
            return line(
                isCredit ? .credit : .debit, amount,
                "Ajuste \(isCredit ? "a favor" : "a cargo") de la agencia por un periodo anterior, autorizado.",
                "sobre \(rule) de \(about)", version)
        }
    }

    private func line(
        _ kind: StatementLine.Kind, _ amount: Cents, _ clause: String, _ words: String, _ version: ScheduleVersion
    ) -> StatementLine {
        StatementLine(
            kind: kind, rule: rule, schedule: version, subject: "\(about)", clause: clause,
            base: .count(1, of: "ajuste"),
            rate: .price(amount), amount: amount, facts: [reference], records: [],
            arithmetic: "\(grouped(amount)) \(words): \(reason)")
    }
}
