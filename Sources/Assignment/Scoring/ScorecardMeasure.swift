// SPDX-License-Identifier: Apache-2.0

/// What a scorecard may weigh: figures of a month that stand still once it is closed.
package enum ScorecardMeasure: String, Sendable, CaseIterable {
    case unlocatable = "IND-01"
    case contacted = "IND-02"
    case promised = "IND-03"
    case recoveredAccounts = "IND-04"
    case recoveredValue = "IND-05"
    case efficiency = "IND-06"
    case perPeso = "IND-11"
    case signing = "IND-12"
    case validOutcomes = "IND-14"
    /// What penalties left of the fees.
    case compliance
    /// The agency's score on complaints, rejections and broken contact rules: see ``ConductScore``.
    case conduct
    /// The mean score of mediation's supervision: sessions, invitations, facilities (AGY-18).
    case mediation

    /// Of which less is better; it counts by what is missing to the whole.
    package var isInverse: Bool { self == .unlocatable }

    /// The indicator that it is, if it is one.
    package var indicator: Indicator? { Indicator(rawValue: rawValue) }

    package var name: String {
        switch self {
        case .compliance: "fees that penalties left ÷ fees"
        case .conduct: "points for complaints, rejections and contact rules ÷ 100"
        case .mediation: "scores of mediation's supervision ÷ 100 % each"
        default: indicator?.formula(by: .contractDelegation) ?? rawValue
        }
    }
}

/// How much each measure of a scorecard weighs, and how large a sample it takes (GAP-minimum-sample).
package struct ScorecardWeights: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package let measure: ScorecardMeasure
        /// 1...1000; only their ratios decide.
        package let weight: Int64
        /// The least denominator: accounts, outcomes, or for amounts centavos.
        package let sample: Int64

        package init(_ measure: ScorecardMeasure, weight: Int64, sample: Int64) {
            self.measure = measure
            self.weight = weight
            self.sample = sample
        }
    }

    package let entries: [Entry]

    /// - Parameter entries: a measure once; those that weigh nothing are left out.
    package init(_ entries: [Entry]) {
        self.entries = entries.filter { $0.weight > 0 }.sorted { $0.measure.rank < $1.measure.rank }
    }

    /// In force where nobody has loaded others; `policies/scorecard-weights.csv` has the same.
    package static let standard = ScorecardWeights([
        Entry(.contacted, weight: 15, sample: 30), Entry(.recoveredAccounts, weight: 20, sample: 30),
        Entry(.recoveredValue, weight: 25, sample: 1), Entry(.validOutcomes, weight: 10, sample: 30),
        Entry(.compliance, weight: 20, sample: 0), Entry(.conduct, weight: 10, sample: 0),
    ])
}

extension ScorecardMeasure {
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
