// SPDX-License-Identifier: Apache-2.0

/// What a value of a schedule is measured in, and how it is read: the same when it is imported and when it is charged.
package enum ScheduleUnit: Equatable, Sendable {
    case pesos, percent, count, aggregation, flag
    /// A count that may be left out: 1.
    case optionalCount
    /// One of these; a parameter of this kind may be left out.
    case choice([String])

    package var label: String {
        switch self {
        case .pesos: "pesos, not negative"
        case .percent: "a percent from 0 to 100"
        case .count, .optionalCount: "a count from 1 to 1000"
        case .aggregation: "any or mean"
        case .flag: "yes or no"
        case .choice(let words): words.joined(separator: " or ")
        }
    }

    package func takes(_ text: String) -> Bool {
        switch self {
        case .pesos: Self.readPesos(text) != nil
        case .percent: Self.readPercent(text) != nil
        case .count, .optionalCount: Self.readCount(text) != nil
        case .aggregation: GoalAggregation(rawValue: text) != nil
        case .flag: text == "yes" || text == "no"
        case .choice(let words): words.contains(text)
        }
    }

    /// Whether a rule can be charged without it.
    package var isOptional: Bool {
        switch self {
        case .aggregation, .choice, .optionalCount: true
        case .pesos, .percent, .count, .flag: false
        }
    }

    static func readPercent(_ text: String) -> BasisPoints? { BasisPoints(percent: text) }
    static func readPesos(_ text: String) -> Cents? { Cents(pesos: text).flatMap { $0 >= .zero ? $0 : nil } }
    static func readCount(_ text: String) -> Int? {
        Int64(canonicalDigits: text).flatMap { (1...1_000).contains($0) ? Int($0) : nil }
    }
}

extension ScheduleValue {
    /// What is wrong with one value by itself: its column and the reason; `nil` where close can read it.
    package func fault(isFee: Bool) -> (column: String, reason: String)? {
        let units: [String: ScheduleUnit]
        if isFee {
            guard let known = feeUnits else {
                return (
                    "rule",
                    "is no rule of fees; they are `FEE-11`, `FEE-01` to `FEE-05`, `FEE-10`, `AGY-15`, `GAP-late-payment` and "
                        + "`AMB-09` to `AMB-11`"
                )
            }
            units = known
        } else if rule == PenaltyTerms.taxRule {
            units = ["rate": .percent, PenaltyTerms.taxOnPenaltiesName: .flag]
        } else if rule == PenaltyTerms.capRule {
            units = [PenaltyTerms.capName: .percent]
        } else {
            guard let known = PenaltyRule(rawValue: rule) else { return ("rule", "is no rule of penalties") }
            units = known.parameters
        }
        guard let unit = units[parameter] else {
            if isFee { return ("parameter", feeParameters) }
            let names = units.keys.sorted().map { "`\($0)`" }.joined(separator: ", ")
            return ("parameter", "is no parameter of \(rule), which has \(names)")
        }
        return unit.takes(value) ? nil : ("value", "is not \(unit.label)")
    }

    /// What a fee's rule has under this parameter; empty where the parameter is none of its, `nil` where the rule is none.
    private var feeUnits: [String: ScheduleUnit]? {
        switch rule {
        case FeeTariff.rule: FeeService(name: parameter) == nil ? [:] : [parameter: .pesos]
        case FeeTariff.originsRule: FeeTariff.origin(parameter) == nil ? [:] : [parameter: .flag]
        case FeeTariff.graceRule: ["days": .count]
        case FeeTariff.budgetRule: ["budget": .pesos]
        default:
            ContingencyReading.units(rule)
                ?? MoraBand(rawValue: rule).map { _ in
                    parameter == ContingencyScale.minimumName || ContingencyScale.range(parameter) != nil
                        ? [parameter: .percent] : [:]
                }
        }
    }

    private var feeParameters: String {
        switch rule {
        case FeeTariff.rule: "is no service; they are written as `administrative.phone`"
        case FeeTariff.originsRule: "is no origin of payments; they are written as `origin.employer`"
        case FeeTariff.graceRule: "is no parameter of \(rule), which has `days`"
        case FeeTariff.budgetRule: "is no parameter of \(rule), which has `budget`"
        default:
            ContingencyReading.units(rule).map { units in
                "is no parameter of \(rule), which has \(units.keys.sorted().map { "`\($0)`" }.joined(separator: ", "))"
            } ?? "is no parameter of \(rule), which has `minimum` and ranges such as `51-60`"
        }
    }
}

extension PenaltyRule {
    /// The parameters that it cannot be charged without, in order: all but those that ``PenaltyTerms`` fills in itself.
    package var needed: [String] { parameters.filter { !$0.value.isOptional }.keys.sorted() }

    /// What ``PenaltyTerms`` reads of the rule.
    package var parameters: [String: ScheduleUnit] {
        switch self {
        case .capacity:
            [
                Portfolio.telephone.name: .pesos, Portfolio.homeVisit.name: .pesos,
                "report": .choice(PenaltyTerms.StaffingReport.allCases.map(\.rawValue)),
            ]
        case .workPlan, .preventiveWorkPlan: ["rate": .percent, "threshold": .percent, "aggregation": .aggregation]
        case .absence: ["rate": .percent, "scope": .choice(PenaltyScope.allCases.map(\.rawValue))]
        case .preventiveRequirement:
            ["rate": .percent, "charge": .choice(PenaltyTerms.RequirementCharge.allCases.map(\.rawValue))]
        case .improvement:
            Dictionary(uniqueKeysWithValues: Impact.allCases.map { ($0.rawValue, ScheduleUnit.percent) })
                .merging(["scope": .choice(PenaltyScope.allCases.map(\.rawValue))]) { $1 }
        case .dwelling, .agreement:
            [
                "rate": .percent, "threshold": .percent, "sample": .optionalCount,
                "over": .choice(PenaltyTerms.RejectionBase.allCases.map(\.rawValue)),
            ]
        case .telephoneQuality:
            [
                "rate": .percent, "threshold": .percent,
                "reading": .choice(PenaltyTerms.QualityReading.allCases.map(\.rawValue)),
            ]
        case .preventiveQuality: ["rate": .percent, "threshold": .percent]
        case .recidivism:
            [
                "rate": .percent, "count": .count, "months": .count,
                "window": .choice(PenaltyTerms.Window.allCases.map(\.rawValue)),
            ]
        }
    }
}
