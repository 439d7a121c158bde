// SPDX-License-Identifier: Apache-2.0

/// How an agency behaved in a month: complaints, rejections and broken contact rules, scored by its own index and by its share of
/// all agencies' (IDT-01, IDT-02, IDT-06).
package struct ConductScore: Equatable, Sendable {
    /// What a criterion counts, and how many points the best has in it. Together 100.
    package enum Criterion: String, Sendable, CaseIterable {
        /// Complaints of debtors ÷ accounts worked.
        case complaints
        /// Dwelling dictums rejected ÷ reviewed.
        case dwelling
        /// Agreements rejected ÷ reviewed.
        case agreements
        /// Other outcomes that an automatic check or the sample brought before a delegation: rejected ÷ reviewed.
        case sampled
        /// Outcomes that broke a contact rule ÷ outcomes.
        case contact

        package var weight: Int64 {
            switch self {
            case .complaints: 40
            case .dwelling, .agreements, .sampled, .contact: 15
            }
        }
    }

    package struct Count: Equatable, Sendable {
        package let bad: Int64
        package let all: Int64

        package init(bad: Int64, all: Int64) {
            self.bad = bad
            self.all = all
        }

        /// Nothing over nothing is nothing: it earns all points (IDT-06). Complaints without any work are the worst.
        fileprivate var index: Ratio {
            guard all > 0 else { return bad > 0 ? Ratio(Int128(bad)) : .zero }
            return Ratio(Int128(bad), over: Int128(all))
        }
    }

    package let agency: AgencyID
    package let counts: [Criterion: Count]
    package let process: ScoreProcess

    /// Of 100, exact.
    package var points: Ratio { process.points }

    /// Scores all agencies of a month together, because the worst of them is the bound.
    package static func scores(_ counts: [AgencyID: [Criterion: Count]]) -> [ConductScore] {
        let nothing = Count(bad: 0, all: 0)
        let totals = Criterion.allCases.map { criterion in
            counts.values.reduce(0) { $0 + ($1[criterion]?.bad ?? 0) }
        }
        func share(_ bad: Int64, _ total: Int64) -> Ratio {
            total > 0 ? Ratio(Int128(bad), over: Int128(total)) : .zero
        }
        let worst = zip(Criterion.allCases, totals).map { criterion, total in
            let own = counts.values.map { $0[criterion] ?? nothing }
            return (
                index: own.map(\.index).max() ?? .zero, share: own.map { share($0.bad, total) }.max() ?? .zero
            )
        }
        return counts.keys.sorted().map { agency in
            let own = counts[agency, default: [:]]
            let criteria = Criterion.allCases.indices.map { number in
                let criterion = Criterion.allCases[number]
                let count = own[criterion] ?? nothing
                return ScoreCriterion(
                    criterion.rawValue, weight: criterion.weight,
                    index: ScoreCriterion.Measure(count.index, worst: worst[number].index),
                    share: ScoreCriterion.Measure(share(count.bad, totals[number]), worst: worst[number].share))
            }
            return ConductScore(agency: agency, counts: own, process: ScoreProcess("conduct", criteria))
        }
    }
}
