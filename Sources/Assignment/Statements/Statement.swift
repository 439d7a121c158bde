// SPDX-License-Identifier: Apache-2.0

/// One contract's month: a section per delegation, and one for the charges on the whole invoice.
///
/// A pure function of the facts: the same facts give the same statement, whatever order they come in.
package struct Statement: Equatable, Sendable {
    package struct Section: Equatable, Sendable {
        /// `nil` in the section of the charges on the whole invoice.
        package let delegation: Delegation?
        package let indicators: DelegationIndicators
        /// Fees, penalties, IVA.
        package let lines: [StatementLine]
        /// What a reader must know and no amount shows, in Spanish.
        package let notes: [String]
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

    package init(_ month: ContractMonth, tariff: FeeTariff, terms: PenaltyTerms) throws(ScheduleError) {
        period = month.period
        contract = month.contract
        agency = month.agency
        agencyName = month.agencyName
        number = month.number
        tender = month.tender
        self.tariff = tariff.version
        self.terms = terms.version
        var sections: [Section] = []
        var invoice = Cents.zero
        for delegation in month.delegations.sorted(by: { $0.delegation < $1.delegation }) {
            let fees = try tariff.lines(for: delegation.billed)
            let base = StatementTotals(of: fees).fees
            invoice += base
            let penalties = terms.lines(for: delegation, in: month.period, invoice: base)
            sections.append(
                Section(
                    delegation.delegation, indicators: delegation.indicators, charges: fees + penalties,
                    notes: terms.notes(for: delegation), terms: terms))
        }
        sections.append(
            Section(
                nil, indicators: DelegationIndicators(),
                charges: terms.lines(onInvoiceOf: month.delegations, invoice: invoice), notes: [], terms: terms))
        self.sections = sections
        totals = sections.reduce(StatementTotals()) { $0 + $1.totals }
    }
}

extension Statement.Section {
    fileprivate init(
        _ delegation: Delegation?, indicators: DelegationIndicators, charges: [StatementLine], notes: [String],
        terms: PenaltyTerms
    ) {
        self.delegation = delegation
        self.indicators = indicators
        self.lines = charges + terms.taxLines(on: StatementTotals(of: charges))
        self.notes = notes
        self.totals = StatementTotals(of: lines)
    }
}

extension PenaltyTerms {
    /// What was not charged for want of a fact or of a decision.
    fileprivate func notes(for month: DelegationMonth) -> [String] {
        var notes: [String] = []
        for need in month.needs.sorted(by: { $0.portfolio < $1.portfolio })
        where capacity != nil && need.staffing == nil && month.indicators.assigned(need.portfolio) > 0 {
            let required = need.required(for: month.indicators.assigned(need.portfolio))
            notes.append(
                "PEN-01 \(need.portfolio.spanish): plantilla no reportada; \(grouped(required)) asesores requeridos; "
                    + "sin cargo."
            )
        }
        if month.indicators.pendingOutcomes > 0 {
            notes.append(
                "\(grouped(month.indicators.pendingOutcomes)) gestiones sin revisión: no se facturan ni cuentan en "
                    + "PEN-05 y PEN-07."
            )
        }
        return notes
    }
}
