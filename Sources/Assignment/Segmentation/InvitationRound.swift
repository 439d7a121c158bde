// SPDX-License-Identifier: Apache-2.0

/// The accounts of one delegation that may be invited to mediation, and the choice among them.
///
/// Holds only those candidates, so its size is bounded by the delegation's dual accounts above the threshold.
package struct InvitationRound: Sendable {
    package struct Candidate: Hashable, Sendable {
        package let account: Int64
        package let arrears: Int64
        package let placed: Placement
        package let invited: Placement
    }
    private var candidates: [Candidate] = []

    package init() {}

    package var count: Int { candidates.count }

    package mutating func add(account: Int64, arrears: Int64, placed: Placement, invited: Placement) {
        candidates.append(Candidate(account: account, arrears: arrears, placed: placed, invited: invited))
    }

    /// Where each candidate ends up, by account number: the first `capacity` by priority class, then by more arrears,
    /// then by account number are invited; the others stay where they were placed.
    package func settled(capacity: Int64) -> [(account: Int64, placement: Placement)] {
        ranked.enumerated()
            .map { ($1.account, Int64($0) < capacity ? $1.invited : $1.placed) }
            .sorted { $0.0 < $1.0 }
    }

    /// The account's place in the order of invitation, from 1 on; `nil` where it is no candidate.
    package func rank(of account: Int64) -> Int64? {
        ranked.firstIndex { $0.account == account }.map { Int64($0) + 1 }
    }

    /// The accounts among them that are invited, ascending.
    package func invited(capacity: Int64) -> [Int64] {
        ranked.prefix(Int(clamping: max(capacity, 0))).map(\.account).sorted()
    }

    private var ranked: [Candidate] {
        candidates.sorted { left, right in
            (left.placed.priority, -left.arrears, left.account) < (right.placed.priority, -right.arrears, right.account)
        }
    }
}
