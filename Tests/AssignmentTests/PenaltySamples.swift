// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Schedules, months and lines in their shortest readable form.
enum Sample {
    static let march = Period(year: 2024, month: 3) ?? Period(monthsSinceYear0: 0)
    static let jalisco = Delegation(14) ?? Delegation.all[0]
    static let firstDay = LocalDate(year: 2023, month: 1, day: 1) ?? LocalDate(daysSince1970: 0)

    static let administrativeValues: [(String, String, String)] = [
        ("PEN-01", "telephone", "7000.00"), ("PEN-01", "home-visit", "9000.00"), ("PEN-02", "rate", "5"),
        ("PEN-02", "threshold", "80"), ("PEN-02", "aggregation", "mean"), ("PEN-03", "rate", "2.5"),
        ("PEN-04", "low", "1.5"), ("PEN-04", "medium", "2"), ("PEN-04", "high", "2.5"), ("PEN-05", "rate", "5"),
        ("PEN-05", "threshold", "30"), ("PEN-06", "rate", "2"), ("PEN-06", "threshold", "80"), ("PEN-07", "rate", "5"),
        ("PEN-07", "threshold", "30"), ("PEN-08", "rate", "1"), ("PEN-08", "count", "3"), ("PEN-08", "months", "6"),
        ("IVA", "rate", "16"),
    ]
    static let preventiveValues: [(String, String, String)] = [
        ("PEN-20", "rate", "5"), ("PEN-20", "threshold", "80"), ("PEN-21", "rate", "2"), ("PEN-22", "rate", "2"),
        ("PEN-22", "threshold", "80"), ("IVA", "rate", "16"),
    ]

    static func schedule(_ name: String, _ values: [(String, String, String)], from day: LocalDate = firstDay)
        -> Schedule
    {
        Schedule(
            version: ScheduleVersion(name: name, effectiveOn: day),
            values: values.map { ScheduleValue(rule: $0.0, parameter: $0.1, value: $0.2) })
    }

    static func administrative() throws -> PenaltyTerms {
        try PenaltyTerms(schedule("248/GA/2022", administrativeValues))
    }

    static func preventive() throws -> PenaltyTerms { try PenaltyTerms(schedule("147/GA/2023", preventiveValues)) }

    static func tariff() throws -> FeeTariff {
        try FeeTariff(
            schedule(
                "infonavit-tariff-2023",
                [
                    ("FEE-11", "administrative.phone", "48.00"), ("FEE-11", "administrative.visit", "165.00"),
                    ("FEE-11", "administrative.agreement", "310.00"),
                ]))
    }

    static func month(_ change: (inout DelegationMonth) -> Void) -> DelegationMonth {
        var month = DelegationMonth(jalisco)
        change(&month)
        return month
    }

    static func contract(_ delegations: [DelegationMonth]) throws -> ContractMonth {
        let contractID = try #require(ContractID(12))
        let agencyID = try #require(AgencyID(7))
        return ContractMonth(
            period: march, contract: contractID, agency: agencyID,
            agencyName: "Cobranza del Norte", number: "248/GA/2022-12", tender: "248/GA/2022", delegations: delegations)
    }

    /// A goal in whole accounts.
    static func goal(_ achieved: String, of minimum: String, weight: String = "1") -> Goal {
        Goal(
            fact: "G-\(achieved)", indicator: "worked", achieved: Int64(decimal: achieved, places: 4) ?? 0,
            minimum: Int64(decimal: minimum, places: 4) ?? 0, weight: Int64(decimal: weight, places: 4) ?? 0)
    }
}
