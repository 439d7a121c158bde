// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// An agency contests the rejection of its outcome, once; the delegation then decides a second time, and that stands.
package struct ReviewContest {
    private let outcome: Int64
    private let reason: String
    private let by: String
    private let days: Int

    /// - Parameter days: business days behind the day of the rejection.
    package init(outcome: Int64, reason: String, by: String, days: Int) {
        self.outcome = outcome
        self.reason = reason
        self.by = by
        self.days = days
    }

    /// - Throws: ``CommandFailure`` where there is no rejection of this agency to contest any more.
    package func run(on link: PgLink) throws {
        guard (1...200).contains(reason.count), !PersonName.folded(reason).isEmpty else {
            throw CommandFailure(
                .usage, "a reason has 1 to 200 characters", remedy: "Say what the delegation overlooked.")
        }
        let agency = try Words.agency(by)
        try link.transaction {
            let periods = try ReviewStore(link).lockOpenPeriods().open
            let store = ContestStore(link)
            guard let rejection = try store.rejection(of: outcome, periods: periods), rejection.agency == agency,
                rejection.decision == ReviewDecision.rejected.rawValue
            else {
                throw CommandFailure(
                    .findings, "no outcome \(outcome) of \(by) in an open period is rejected",
                    remedy: "Check the number; only a rejection can be contested, by the agency whose outcome it is.")
            }
            guard !rejection.isContested else {
                throw CommandFailure(
                    .findings, "outcome \(outcome) was contested before",
                    remedy: "A rejection is contested once; the second decision stands.")
            }
            let now = try link.readNow()
            let deadline = rejection.reviewedAt.deadline(businessDays: days)
            guard now < deadline else {
                throw CommandFailure(
                    .findings, "the time to contest outcome \(outcome) was over at \(deadline)",
                    remedy: "Its rejection stands.")
            }
            try store.add(outcome, rejection, reason: reason, by: by, at: now)
            try link.insertBlocks(
                LedgerBlock.seal([
                    .contest(outcome, rejection.delegation, rejection.period, reason: reason, by: by, at: now)
                ]))
        }
    }
}
