// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What one or two policies said of the accounts of a stretch of the cut's table, or of several stretches.
///
/// Accounts are counted, not kept: by their codes and delegation. Kept one by one are only those whose verdict is open
/// until all of their delegation are read, because they may be invited, and those that are asked for.
struct StretchTally: Sendable {
    /// The codes of the first policy's columns and of the second's; 0 where there is no second one.
    struct Key: Hashable, Sendable {
        let first: UInt16
        let second: UInt16
        let isUndealable: Bool

        func code(_ party: Int) -> Int { Int(party == 0 ? first : second) }
    }
    struct Candidate: Sendable {
        let account: Int64
        let arrears: Int64
        /// Centavos.
        let overdue: Int64
        let balance: Int64
        let key: Key
    }

    /// Numbers of delegations, from 0 on.
    static let delegations = Int(Delegation.range.upperBound) + 1

    /// By delegation number.
    var accounts = [Int64](repeating: 0, count: delegations)
    var candidates = [[Candidate]](repeating: [], count: delegations)
    var asked = [[TrialAccount]](repeating: [], count: delegations)
    /// Per policy: accounts by relief.
    var offers: [ColumnOfferCounts]
    private(set) var keys: [Key] = []
    private var slots: [Key: Int] = [:]
    /// By slot, then by delegation.
    private var totals: [VerdictTotals] = []

    init(_ parties: [PolicyTrial.Party]) { self.offers = parties.map { $0.columns.makeOfferCounts() } }

    /// The number under which the accounts of a key are counted.
    mutating func slot(_ key: Key) -> Int {
        if let slot = slots[key] { return slot }
        slots[key] = keys.count
        keys.append(key)
        totals.append(contentsOf: repeatElement(VerdictTotals(), count: Self.delegations))
        return keys.count - 1
    }

    mutating func count(_ slot: Int, _ delegation: Int, overdue: Int64, balance: Int64) {
        totals[slot * Self.delegations + delegation].add(overdue: overdue, balance: balance)
    }

    func totals(_ slot: Int, _ delegation: Int) -> VerdictTotals { totals[slot * Self.delegations + delegation] }

    mutating func add(_ other: StretchTally) {
        for delegation in accounts.indices {
            accounts[delegation] += other.accounts[delegation]
            candidates[delegation] += other.candidates[delegation]
            asked[delegation] += other.asked[delegation]
        }
        for party in offers.indices { offers[party].add(other.offers[party]) }
        for (theirs, key) in other.keys.enumerated() {
            let mine = slot(key)
            for delegation in accounts.indices {
                totals[mine * Self.delegations + delegation] += other.totals(theirs, delegation)
            }
        }
    }

    /// Keeps of the accounts that are asked for no more than can be among the first `count`.
    mutating func keepAsked(first count: Int) {
        var left = count
        for delegation in asked.indices {
            if asked[delegation].count > left {
                asked[delegation].sort { $0.account < $1.account }
                asked[delegation].removeLast(asked[delegation].count - left)
            }
            left -= asked[delegation].count
        }
    }
}
