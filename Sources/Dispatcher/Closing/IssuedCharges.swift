// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a statement bills and charges by itself, without what persons decided about it and what follows from that.
struct IssuedCharges {
    private var charges: [String] = []
    /// Recidivism: a waiver of the breach that it counts may end it.
    private var recidivism: Set<String> = []

    init(_ body: String) throws {
        for section in try StatementDocument(body).sections {
            for line in section.lines {
                let words = "\(section.delegation ?? 0) \(line.kind) \(line.rule) \(line.subject) \(line.amount)"
                switch StatementLine.Kind(rawValue: line.kind) {
                case .penalty where line.rule == PenaltyRule.recidivism.rawValue: recidivism.insert(words)
                case .fee, .feeCut, .penalty, nil: charges.append(words)
                case .penaltyCap, .waiver, .credit, .debit, .taxOnFees, .taxOnPenalties: break
                }
            }
        }
    }

    /// Whether it charges what was shown, and no recidivism besides.
    func follow(_ shown: IssuedCharges) -> Bool {
        charges == shown.charges && recidivism.isSubset(of: shown.recidivism)
    }
}
