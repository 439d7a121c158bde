// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What an order takes from an agency: all that waits for it, what waits of a strategy, or of one band of it (AGY-16, ASG-06,
/// SUS-01). But for a band its limits fall to what it holds, so that nothing takes the place of what goes.
struct AgencyWithdrawal: Equatable, Sendable {
    let agency: AgencyID
    /// `nil`: every one.
    let strategy: Strategy?
    /// A tactic; `nil`: every one.
    let band: String?
    /// One word, for the ledger and the withdrawn hands: `hold`, `termination` or `suspension`.
    let reason: String

    struct Done {
        var hands: [WithdrawnHand] = []
        /// Of a band.
        var endings: [EndingRow] = []
        var records: [LedgerRecord] = []

        var accounts: Int64 { hands.reduce(Int64(endings.count)) { $0 + $1.accounts } }
    }

    /// In a transaction of the caller's, who seals the records.
    ///
    /// - Locks: the agency's open hands, ascending, then its quotas; until the transaction ends.
    func run(_ link: PgLink, period: Period, at now: Timestamp) throws -> Done {
        var done = Done()
        if let band, let strategy {
            done.endings = try link.withdrawBand(band, of: strategy, from: agency, reason: reason)
            done.records = done.endings.map { .ending($0, period: period, at: now) }
            return done
        }
        done.hands = try link.withdrawHands(WithdrawalScope(agency: agency, strategy: strategy), reason: reason)
        let lowered = try link.lowerQuotas(of: agency, strategy: strategy)
        done.records =
            done.hands.map { .withdrawal($0, reason: reason, period: period, at: now) }
            + lowered.map { .limit($0, why: reason, period: period) }
        return done
    }

    /// What was ordered between two looks, as it would have been withdrawn had there been hands.
    static func ordered(_ orders: OrdersInForce, since earlier: OrdersInForce) -> [AgencyWithdrawal] {
        orders.stopped(since: earlier).map {
            AgencyWithdrawal(
                agency: $0, strategy: nil, band: nil,
                reason: orders.stopped[$0] == "terminated" ? "termination" : "hold")
        }
            + orders.suspensions(since: earlier).map {
                AgencyWithdrawal(
                    agency: $0.agency, strategy: $0.strategy, band: $0.band.isEmpty ? nil : $0.band,
                    reason: "suspension")
            }
    }
}
