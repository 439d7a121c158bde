// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What still goes into one group.
struct GroupRoom {
    private struct ScopedKey: Hashable {
        let verb: Int
        let key: IdempotencyKey
    }

    private let limits: LeaseEngine.Limits
    private var keys: Set<ScopedKey> = []
    private var accounts = 0
    private var delegation: Delegation?

    init(_ limits: LeaseEngine.Limits) { self.limits = limits }

    /// Whether the request has a place; then it takes it. A second one with the same key waits for the next group, which then
    /// sees the first one's row. One of no more accounts than its share of the group has a place however many others ask for.
    mutating func admits(_ request: PendingRequest) -> Bool {
        guard keys.count < limits.groupMax,
            keys.isEmpty || limits.size(of: request) == 1 || accounts + request.accounts <= limits.groupAccountsMax,
            !limits.isOneDelegation || delegation == nil || delegation == request.key.delegation,
            keys.insert(ScopedKey(verb: request.verb, key: request.key)).inserted
        else { return false }
        accounts += request.accounts
        delegation = request.key.delegation
        return true
    }
}

extension LeaseEngine.Limits {
    /// How many requests' shares of a group's accounts it asks for, rounded up: what it takes of its agency's turn.
    func size(of request: PendingRequest) -> Int {
        let share = max(1, groupAccountsMax / max(1, groupMax))
        return max(1, (request.accounts + share - 1) / share)
    }
}
