// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// How many accounts, and what they owe.
struct VerdictTotals: Hashable, Sendable {
    var accounts: Int64 = 0
    /// Those of them with money overdue.
    var late: Int64 = 0
    /// Centavos. Wide, because no bound of the cut keeps millions of the largest amounts below 64 bits.
    var overdue: Int128 = 0
    var balance: Int128 = 0

    mutating func add(overdue: Int64, balance: Int64) {
        accounts += 1
        if overdue > 0 { late += 1 }
        self.overdue += Int128(overdue)
        self.balance += Int128(balance)
    }

    static func += (left: inout VerdictTotals, right: VerdictTotals) {
        left.accounts += right.accounts
        left.late += right.late
        left.overdue += right.overdue
        left.balance += right.balance
    }
}
