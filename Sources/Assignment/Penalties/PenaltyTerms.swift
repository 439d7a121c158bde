// SPDX-License-Identifier: Apache-2.0

/// One version of a penalty schedule, read and checked. A rule that the schedule does not name is `nil`: never charged.
package struct PenaltyTerms: Equatable, Sendable {
    package struct Capacity: Equatable, Sendable {
        package let perTelephoneAdviser: Cents
        package let perHomeVisitAdviser: Cents
        package let report: StaffingReport
    }
    package struct Plan: Equatable, Sendable {
        package let rate: BasisPoints
        package let threshold: BasisPoints
        package let aggregation: GoalAggregation
    }
    package struct Limit: Equatable, Sendable {
        package let rate: BasisPoints
        package let threshold: BasisPoints
        /// Of rejections: so many must have been reviewed (AMB-17, GAP-minimum-sample); 1: no least number.
        package var sample = 1
        package var over = RejectionBase.reviewed
        /// Of telephone quality.
        package var reading = QualityReading.score
    }
    /// What rejections are counted over (AMB-17).
    package enum RejectionBase: String, Sendable, CaseIterable {
        /// What was decided.
        case reviewed
        /// All that was sent in, what waits for its review, too.
        case submitted
    }
    /// What the threshold of telephone quality is of (AMB-21).
    package enum QualityReading: String, Sendable, CaseIterable {
        /// A score below it is a breach.
        case score
        /// So much of the evaluation failed, or more, is a breach.
        case failed
    }
    /// On which reports of staffing missing advisers are charged (AMB-18).
    package enum StaffingReport: String, Sendable, CaseIterable {
        /// The month's last one.
        case last
        /// Each of them.
        case each
    }
    package struct Recidivism: Equatable, Sendable {
        package let rate: BasisPoints
        package let count: Int
        package let months: Int
        package let window: Window

        /// The first month whose breaches count in `period` (AMB-16).
        package func first(of period: Period) -> Period {
            switch window {
            case .rolling: period.advanced(byMonths: 1 - months)
            case .semester: period.advanced(byMonths: -((period.month - 1) % 6))
            }
        }
    }
    /// Which months recidivism looks at (AMB-16).
    package enum Window: String, Sendable, CaseIterable {
        /// The months that end with the evaluated one.
        case rolling
        /// Those of the half-year that it lies in, up to it; `months` does not matter.
        case semester
    }
    /// Whether several failed requirements of the preventive supervision are one charge (the default) or one each.
    package enum RequirementCharge: String, Sendable, CaseIterable { case once, each }

    package let version: ScheduleVersion
    package let capacity: Capacity?
    package let workPlan: Plan?
    package let absence: BasisPoints?
    /// What the charges on absence and on the improvement plan are a part of (AMB-07, AMB-08).
    package let absenceScope: PenaltyScope
    package let improvement: [Impact: BasisPoints]?
    package let improvementScope: PenaltyScope
    package let dwelling: Limit?
    package let telephoneQuality: Limit?
    package let agreement: Limit?
    package let recidivism: Recidivism?
    package let preventiveQuality: Limit?
    package let preventiveRequirement: BasisPoints?
    package let requirementCharge: RequirementCharge
    package let preventiveWorkPlan: Plan?
    package let tax: BasisPoints
    /// Whether penalties carry it as well (AMB-19).
    package let isTaxOnPenalties: Bool
    /// The most that a month's penalties may be of its fees (AMB-15); `nil`: no limit.
    package let cap: BasisPoints?

    package static let capRule = "AMB-15"
    package static let capName = "max_total_pct"
    package static let taxRule = "IVA"
    package static let taxOnPenaltiesName = "penalties"

    package init(_ schedule: Schedule) throws(ScheduleError) {
        version = schedule.version
        capacity =
            schedule.names(PenaltyRule.capacity.rawValue)
            ? Capacity(
                perTelephoneAdviser: try schedule.pesos(PenaltyRule.capacity.rawValue, Portfolio.telephone.name),
                perHomeVisitAdviser: try schedule.pesos(PenaltyRule.capacity.rawValue, Portfolio.homeVisit.name),
                report: try schedule.choice(PenaltyRule.capacity.rawValue, "report", or: .last)) : nil
        workPlan = try schedule.plan(.workPlan)
        absence = try schedule.rate(.absence)
        absenceScope = try schedule.choice(PenaltyRule.absence.rawValue, "scope", or: .delegation)
        improvement = try schedule.impacts()
        improvementScope = try schedule.choice(PenaltyRule.improvement.rawValue, "scope", or: .delegation)
        dwelling = try schedule.limit(.dwelling)
        telephoneQuality = try schedule.limit(.telephoneQuality)
        agreement = try schedule.limit(.agreement)
        recidivism = try schedule.recidivism()
        preventiveQuality = try schedule.limit(.preventiveQuality)
        preventiveRequirement = try schedule.rate(.preventiveRequirement)
        requirementCharge = try schedule.choice(PenaltyRule.preventiveRequirement.rawValue, "charge", or: .once)
        preventiveWorkPlan = try schedule.plan(.preventiveWorkPlan)
        tax = try schedule.percent(Self.taxRule, "rate")
        isTaxOnPenalties = try schedule.choice(Self.taxRule, Self.taxOnPenaltiesName, or: YesOrNo.yes) == .yes
        cap = schedule.names(Self.capRule) ? try schedule.percent(Self.capRule, Self.capName) : nil
    }
}

/// A flag of a schedule.
private enum YesOrNo: String, CaseIterable { case yes, no }

/// What a penalty's percentage is taken of.
package enum PenaltyScope: String, Sendable, CaseIterable {
    /// The contract's invoice in the delegation of the breach.
    case delegation
    /// All of the contract's invoice of the month.
    case invoice
}

extension Schedule {
    fileprivate func rate(_ rule: PenaltyRule) throws(ScheduleError) -> BasisPoints? {
        names(rule.rawValue) ? try percent(rule.rawValue, "rate") : nil
    }

    fileprivate func limit(_ rule: PenaltyRule) throws(ScheduleError) -> PenaltyTerms.Limit? {
        guard names(rule.rawValue) else { return nil }
        return PenaltyTerms.Limit(
            rate: try percent(rule.rawValue, "rate"), threshold: try percent(rule.rawValue, "threshold"),
            sample: try count(rule.rawValue, "sample", or: 1), over: try choice(rule.rawValue, "over", or: .reviewed),
            reading: try choice(rule.rawValue, "reading", or: .score))
    }

    fileprivate func plan(_ rule: PenaltyRule) throws(ScheduleError) -> PenaltyTerms.Plan? {
        guard names(rule.rawValue) else { return nil }
        let text = value(rule.rawValue, "aggregation") ?? GoalAggregation.mean.rawValue
        guard let aggregation = GoalAggregation(rawValue: text) else {
            throw .badValue(
                version, rule: rule.rawValue, parameter: "aggregation", value: text,
                expected: ScheduleUnit.aggregation.label)
        }
        return PenaltyTerms.Plan(
            rate: try percent(rule.rawValue, "rate"), threshold: try percent(rule.rawValue, "threshold"),
            aggregation: aggregation)
    }

    fileprivate func impacts() throws(ScheduleError) -> [Impact: BasisPoints]? {
        let rule = PenaltyRule.improvement.rawValue
        guard names(rule) else { return nil }
        var rates: [Impact: BasisPoints] = [:]
        for impact in Impact.allCases { rates[impact] = try percent(rule, impact.rawValue) }
        return rates
    }

    fileprivate func recidivism() throws(ScheduleError) -> PenaltyTerms.Recidivism? {
        let rule = PenaltyRule.recidivism.rawValue
        guard names(rule) else { return nil }
        return PenaltyTerms.Recidivism(
            rate: try percent(rule, "rate"), count: try count(rule, "count"), months: try count(rule, "months"),
            window: try choice(rule, "window", or: .rolling))
    }
}
