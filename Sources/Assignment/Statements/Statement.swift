// SPDX-License-Identifier: Apache-2.0

/// One contract's month: a section per delegation, and one for the charges on the whole invoice.
///
/// A pure function of the facts: the same facts give the same statement, whatever order they come in.
///
/// Source: AGY-12 (who collects invoices by the month).
package struct Statement: Equatable, Sendable {
    package struct Section: Equatable, Sendable {
        /// `nil` in the section of the charges on the whole invoice.
        package let delegation: Delegation?
        package let indicators: DelegationIndicators
        /// What was recovered by band, and the least that was to be; only where the contract pays so.
        package let bands: [BandGoal]
        /// Fees, penalties, IVA.
        package let lines: [StatementLine]
        /// What a reader must know and no amount shows, in Spanish.
        package let notes: [String]
        /// The same in English, in the same order.
        package let notesInEnglish: [String]
        package let totals: StatementTotals
    }

    package let period: Period
    package let contract: ContractID
    package let agency: AgencyID
    package let agencyName: String
    package let number: String
    package let tender: String
    package let tariff: ScheduleVersion
    package let terms: ScheduleVersion
    /// Ascending by delegation; the whole invoice last.
    package let sections: [Section]
    package let totals: StatementTotals
    /// Whether all that the contract may ever be paid is billed: it ends (AGY-15).
    package let isBudgetUsedUp: Bool

    package init(_ month: ContractMonth, tariff: FeeTariff, terms: PenaltyTerms) throws(ScheduleError) {
        period = month.period
        contract = month.contract
        agency = month.agency
        agencyName = month.agencyName
        number = month.number
        tender = month.tender
        self.tariff = tariff.version
        self.terms = terms.version
        let delegations = month.delegations.sorted { $0.delegation < $1.delegation }
        var fees: [[StatementLine]] = []
        for delegation in delegations {
            fees.append(try tariff.lines(for: delegation.billed, bands: delegation.bands))
        }
        // What the work is worth: the base of every percentage. A budget limits what is paid, not what a breach weighs.
        let invoice = StatementTotals(of: fees.flatMap(\.self)).fees
        let givenBack = month.givenBack
        let cut = tariff.cutLine(fees: invoice, givenBack: givenBack, before: month.spentBefore)
        var charges = [cut].compactMap(\.self) + terms.lines(onInvoiceOf: month.delegations, invoice: invoice)
        let schedules = StatementSchedules(fees: tariff.version, penalties: terms.version)
        let waived = PenaltyRule.recidivismCounts.filter { month.adjustments.waives($0, among: charges, schedules) }
        var sections = zip(delegations, fees).map { delegation, fees in
            let penalties = terms.lines(
                for: delegation, in: month.period, invoice: StatementTotals(of: fees).fees, waived: waived)
            let back = delegation.givenBack.sorted { ($0.month, $0.band) < ($1.month, $1.band) }
            let charges = fees + back.compactMap(\.line) + penalties
            let adjusted = delegation.adjustments.lines(among: charges, schedules)
            return Section(
                delegation.delegation, indicators: delegation.indicators,
                bands: tariff.goals(delegation.bands, in: month.period), charges: charges + adjusted.lines,
                notes: terms.notes(for: delegation) + Self.notes(idle: adjusted.idle), terms: terms)
        }
        let adjusted = month.adjustments.lines(among: charges, schedules)
        charges += adjusted.lines
        // What an earlier month owes has no part in this one's limit.
        let penalties = StatementTotals(
            of: (sections.flatMap(\.lines) + charges).filter { $0.kind == .penalty || $0.kind == .waiver }
        ).penalties
        if let cap = terms.capLine(penalties: penalties, invoice: invoice) { charges.append(cap) }
        // What persons credited of fees is billed as well, and uses a budget up though it is not cut. A penalty that is given back is
        // no pay.
        let credits = (sections.flatMap(\.lines) + charges).filter { $0.kind == .credit && !$0.rule.hasPrefix("PEN-") }
            .reduce(Cents.zero) { $0 + $1.amount }
        let isBudgetUsedUp = tariff.budget.map { month.spentBefore + invoice - givenBack + credits >= $0 } ?? false
        self.isBudgetUsedUp = isBudgetUsedUp
        let net = sections.reduce(StatementTotals(of: charges).penalties) { $0 + $1.totals.penalties }
        sections.append(
            Section(
                nil, indicators: DelegationIndicators(), bands: [], charges: charges,
                notes: Self.warnings(
                    penalties: net, invoice: invoice - (cut?.amount ?? .zero), bond: month.bond)
                    + Self.notes(budget: isBudgetUsedUp ? tariff.budget : nil)
                    + Self.notes(idle: adjusted.idle), terms: terms))
        self.sections = sections
        totals = sections.reduce(StatementTotals()) { $0 + $1.totals }
    }
}

extension Statement {
    /// Waivers that are in force and took nothing back.
    private static func notes(idle: [Adjustment]) -> [StatementNote] {
        idle.map { waiver in
            StatementNote(
                spanish: "Condonación \(waiver.reference) de \(waiver.rule): no hay cargo que condonar.",
                english: "Waiver \(waiver.reference) of \(waiver.rule): nothing is charged that it could take back.")
        }
    }

    /// That a contract's budget is used up, and ends it (AGY-15).
    private static func notes(budget: Cents?) -> [StatementNote] {
        budget.map { budget in
            [
                StatementNote(
                    spanish: "El presupuesto del contrato, \(grouped(budget)), está agotado: el contrato termina.",
                    english: "The contract's budget, \(grouped(budget)), is used up: the contract ends.")
            ]
        } ?? []
    }

    /// What the institution has to look at before it charges so much.
    private static func warnings(penalties: Cents, invoice: Cents, bond: Cents?) -> [StatementNote] {
        var notes: [StatementNote] = []
        if penalties > invoice {
            notes.append(
                StatementNote(
                    spanish: "Las penas del mes, \(grouped(penalties)), superan la factura, \(grouped(invoice)).",
                    english: "The month's penalties, \(grouped(penalties)), pass the invoice, \(grouped(invoice))."))
        }
        if let bond, bond > .zero, penalties > bond {
            notes.append(
                StatementNote(
                    spanish: "Las penas del mes, \(grouped(penalties)), superan la fianza, \(grouped(bond)).",
                    english: "The month's penalties, \(grouped(penalties)), pass the bond, \(grouped(bond))."))
        }
        return notes
    }
}

extension Statement.Section {
    fileprivate init(
        _ delegation: Delegation?, indicators: DelegationIndicators, bands: [BandGoal], charges: [StatementLine],
        notes: [StatementNote], terms: PenaltyTerms
    ) {
        self.bands = bands
        self.delegation = delegation
        self.indicators = indicators
        self.lines = charges + terms.taxLines(on: charges)
        self.notes = notes.map(\.spanish)
        self.notesInEnglish = notes.map(\.english)
        self.totals = StatementTotals(of: lines)
    }
}

extension PenaltyTerms {
    /// What was not charged for want of a fact or of a decision.
    fileprivate func notes(for month: DelegationMonth) -> [StatementNote] {
        var notes: [StatementNote] = []
        for need in month.needs.sorted(by: { $0.portfolio < $1.portfolio })
        where capacity != nil && need.staffing == nil && month.indicators.assigned(need.portfolio) > 0 {
            let required = need.required(for: month.indicators.assigned(need.portfolio))
            notes.append(
                StatementNote(
                    spanish:
                        "PEN-01 \(need.portfolio.spanish): plantilla no reportada; "
                        + "\(counted(required, "asesor requerido", "asesores requeridos")); "
                        + "sin cargo.",
                    english:
                        "PEN-01 \(need.portfolio.name): no staffing was reported; "
                        + "\(counted(required, "adviser was", "advisers were")) required; not charged."))
        }
        let undecided = undecidedCommitments(of: month)
        // Told of a month that still runs as well, in which not all of them are due yet.
        if let last = undecided.last?.on {
            let facts = undecided.map(\.fact).joined(separator: ", ")
            notes.append(
                StatementNote(
                    spanish:
                        "PEN-04: compromisos con fecha hasta el \(last) sin resultado registrado: \(facts); sin cargo.",
                    english:
                        "PEN-04: commitments due until \(last) of which nobody recorded the result: \(facts); not charged."
                ))
        }
        if workPlan != nil || preventiveWorkPlan != nil {
            notes += month.goalNotes.sorted { $0.fact < $1.fact }.map(\.note)
        }
        if month.indicators.pendingOutcomes > 0 {
            let pending = month.indicators.pendingOutcomes
            notes.append(
                StatementNote(
                    spanish: counted(pending, "gestión", "gestiones")
                        + " sin revisión: no se \(pending == 1 ? "factura ni cuenta" : "facturan ni cuentan") en PEN-05 y PEN-07.",
                    english: counted(pending, "outcome", "outcomes")
                        + " without review: not billed, and outside of PEN-05 and PEN-07."))
        }
        return notes
    }
}

/// What a reader of a statement must know and no amount shows.
package struct StatementNote: Equatable, Sendable {
    package let spanish: String
    package let english: String

    package init(spanish: String, english: String) {
        self.spanish = spanish
        self.english = english
    }
}
