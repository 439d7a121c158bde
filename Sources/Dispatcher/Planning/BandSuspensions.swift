// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Bands of a strategy of which agencies are given nothing (ASG-06, SUS-01), where accounts are dealt. A band is a tactic
/// of the policy.
struct BandSuspensions {
    private let agencies: [Band: [AgencyID]]

    private struct Band: Hashable {
        let strategy: Strategy
        let tactic: String
    }

    init(_ rows: Set<SuspensionRow>) {
        agencies = Dictionary(grouping: rows.filter { !$0.band.isEmpty }) {
            Band(strategy: $0.strategy, tactic: $0.band)
        }.mapValues { $0.map(\.agency).sorted() }
    }

    /// Keeps the accounts of suspended bands from those agencies as they are kept from former holders: they go to others, or
    /// stay. Both lists are in one order.
    func barring(_ candidates: [DealCandidate], _ rows: [DealableRow]) -> [DealCandidate] {
        guard !agencies.isEmpty else { return candidates }
        return zip(candidates, rows).map { candidate, row in
            guard let barred = agencies[Band(strategy: row.strategy, tactic: row.tactic)] else { return candidate }
            var restricted = candidate
            restricted.former = candidate.former.adding(barred)
            return restricted
        }
    }
}
