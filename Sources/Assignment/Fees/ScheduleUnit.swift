// SPDX-License-Identifier: Apache-2.0

/// What a value of a schedule is measured in, and how it is read: the same when it is imported and when it is charged.
package enum ScheduleUnit: Sendable {
    case pesos, percent, count, aggregation

    package var label: String {
        switch self {
        case .pesos: "pesos, not negative"
        case .percent: "a percent from 0 to 100"
        case .count: "a count from 1 to 1000"
        case .aggregation: "any or mean"
        }
    }

    package func takes(_ text: String) -> Bool {
        switch self {
        case .pesos: Self.readPesos(text) != nil
        case .percent: Self.readPercent(text) != nil
        case .count: Self.readCount(text) != nil
        case .aggregation: GoalAggregation(rawValue: text) != nil
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
            guard rule == FeeTariff.rule else { return ("rule", "is no rule of fees; it must be `\(FeeTariff.rule)`") }
            units = FeeService(name: parameter) == nil ? [:] : [parameter: .pesos]
        } else if rule == PenaltyTerms.taxRule {
            units = ["rate": .percent]
        } else {
            guard let known = PenaltyRule(rawValue: rule) else { return ("rule", "is no rule of penalties") }
            units = known.parameters
        }
        guard let unit = units[parameter] else {
            if isFee { return ("parameter", "is no service; they are written as `administrative.phone`") }
            let names = units.keys.sorted().map { "`\($0)`" }.joined(separator: ", ")
            return ("parameter", "is no parameter of \(rule), which has \(names)")
        }
        return unit.takes(value) ? nil : ("value", "is not \(unit.label)")
    }
}

extension PenaltyRule {
    /// The parameters that it cannot be charged without, in order: all but those that ``PenaltyTerms`` fills in itself.
    package var needed: [String] { parameters.filter { $0.value != .aggregation }.keys.sorted() }

    /// What ``PenaltyTerms`` reads of the rule.
    package var parameters: [String: ScheduleUnit] {
        switch self {
        case .capacity: [Portfolio.telephone.name: .pesos, Portfolio.homeVisit.name: .pesos]
        case .workPlan, .preventiveWorkPlan: ["rate": .percent, "threshold": .percent, "aggregation": .aggregation]
        case .absence, .preventiveRequirement: ["rate": .percent]
        case .improvement: Dictionary(uniqueKeysWithValues: Impact.allCases.map { ($0.rawValue, .percent) })
        case .dwelling, .telephoneQuality, .agreement, .preventiveQuality: ["rate": .percent, "threshold": .percent]
        case .recidivism: ["rate": .percent, "count": .count, "months": .count]
        }
    }
}
