// SPDX-License-Identifier: Apache-2.0

/// The clauses of one list of a policy, asked of accounts one by one: which are met, which are missing.
///
/// It places no account (SOL-40…45).
package struct ClauseSheet: Sendable {
    /// Which of a policy's lists.
    package enum Subject: String, Sendable, CaseIterable {
        case exhaustion
        case segregation
        case returnToBalance = "return-to-balance"
    }

    package let clauses: [Clause]
    /// The stored fields that the clauses read, each once: what is shown beside them.
    package let shown: [AccountField]
    private let bound: [BoundCondition]
    private let segmenter: Segmenter?

    /// - Returns: `nil` where the policy has no such list.
    package init?(_ subject: Subject, of policy: Policy, cut: LocalDate) {
        guard let exhaustion = policy.exhaustion else { return nil }
        let clauses =
            switch subject {
            case .exhaustion: exhaustion.clauses
            case .segregation: exhaustion.segregation
            case .returnToBalance: exhaustion.returnToBalance
            }
        guard !clauses.isEmpty else { return nil }
        self.clauses = clauses
        self.bound = clauses.map { $0.when.bound(to: cut) }
        let asksForOffers = clauses.contains { $0.when.asksForOffers }
        self.segmenter = asksForOffers ? Segmenter(policy, cut: cut) : nil
        let read = Set(clauses.flatMap { $0.when.fields.flatMap(\.inputs) }.map(\.rawValue))
        self.shown = AccountField.stored.filter { read.contains($0.rawValue) }
    }

    /// The stored fields that must be read for ``met(by:)``: what is shown, and all where a clause asks for offers.
    package var fields: [AccountField] { segmenter == nil ? shown : AccountField.stored }

    /// For each clause whether it is met.
    package func met(by row: borrowing AccountRow) -> [Bool] {
        let offers = segmenter?.offers(for: row) ?? 0
        return bound.map { $0.holds(for: row, offers: offers) }
    }
}

extension Condition {
    fileprivate var asksForOffers: Bool {
        switch self {
        case .offered: true
        case .always, .range, .oneOf, .isKnown: false
        case .all(let conditions), .any(let conditions): conditions.contains { $0.asksForOffers }
        case .not(let condition), .named(_, let condition): condition.asksForOffers
        }
    }
}
