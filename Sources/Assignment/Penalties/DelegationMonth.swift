// SPDX-License-Identifier: Apache-2.0

/// What a contract must staff in one delegation and portfolio: how many accounts each adviser may carry (AGY-07).
package struct StaffingNeed: Equatable, Sendable {
    package let portfolio: Portfolio
    package let accountsPerAdviser: Int64
    /// `nil` where supervision recorded no staffing in the month. Then nothing is charged, and the statement says so: a
    /// penalty needs a fact.
    package let staffing: Staffing?
    /// All reports of the month, by day; the last of them is ``staffing``.
    package let reports: [Staffing]

    package init(portfolio: Portfolio, accountsPerAdviser: Int64, staffing: Staffing?) {
        self.init(portfolio: portfolio, accountsPerAdviser: accountsPerAdviser, reports: staffing.map { [$0] } ?? [])
    }

    /// - Parameter reports: by day.
    package init(portfolio: Portfolio, accountsPerAdviser: Int64, reports: [Staffing]) {
        self.portfolio = portfolio
        self.accountsPerAdviser = accountsPerAdviser
        self.staffing = reports.last
        self.reports = reports
    }

    /// Advisers that `assigned` accounts ask for, rounded up.
    package func required(for assigned: Int64) -> Int64 {
        assigned <= 0 ? 0 : (assigned + accountsPerAdviser - 1) / accountsPerAdviser
    }
}

/// All that is known about one contract in one delegation and period.
package struct DelegationMonth: Equatable, Sendable {
    package let delegation: Delegation
    package var indicators = DelegationIndicators()
    package var billed: [BilledService] = []
    /// Only where the contract pays by bands; a band once.
    package var bands: [BandRecovery] = []
    /// Contingency of earlier statements on payments that were taken back since.
    package var givenBack: [BandReversal] = []
    package var adjustments: [Adjustment] = []
    package var needs: [StaffingNeed] = []
    package var goals: [Goal] = []
    /// What a reader must know of the goals: those that the institution's withdrawals lowered, and those that changed late.
    package var goalNotes: [GoalNote] = []
    package var visits: [Visit] = []
    package var commitments: [Commitment] = []
    package var scores: [QualityScore] = []
    package var requirements: [Requirement] = []
    package var reviews: [ReviewCount] = []
    /// Of earlier periods, in any order; those outside the rolling window are ignored.
    package var earlierBreaches: [EarlierBreach] = []

    package init(_ delegation: Delegation) { self.delegation = delegation }
}

/// All that is known about one contract in one period.
package struct ContractMonth: Equatable, Sendable {
    package let period: Period
    package let contract: ContractID
    package let agency: AgencyID
    package let agencyName: String
    package let number: String
    package let tender: String
    /// In any order; a delegation once.
    package var delegations: [DelegationMonth]
    /// What the statements of earlier months billed, before IVA: what a budget has left (AGY-15).
    package var spentBefore = Cents.zero
    /// Those on the whole invoice.
    package var adjustments: [Adjustment] = []
    /// The surety; `nil` where nobody asks.
    package let bond: Cents?
    /// Contingency of earlier statements that this one gives back.
    var givenBack: Cents { delegations.flatMap(\.givenBack).compactMap(\.line).reduce(.zero) { $0 + $1.amount } }

    package init(
        period: Period, contract: ContractID, agency: AgencyID, agencyName: String, number: String, tender: String,
        delegations: [DelegationMonth] = [], bond: Cents? = nil
    ) {
        self.bond = bond
        self.period = period
        self.contract = contract
        self.agency = agency
        self.agencyName = agencyName
        self.number = number
        self.tender = tender
        self.delegations = delegations
    }
}
