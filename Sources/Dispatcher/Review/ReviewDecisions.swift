// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Decisions given by command, one reason for all of them.
package struct ReviewDecisions {
    package let decision: ReviewDecision
    package let outcomes: [Int64]
    package let reason: String
    package let reviewer: String
    /// Business days behind a month's end in which its reviews count; `nil`: until its close.
    package var deadlineDays: Int?

    package init(_ decision: ReviewDecision, outcomes: [Int64], reason: String, reviewer: String) {
        self.decision = decision
        self.outcomes = outcomes
        self.reason = reason
        self.reviewer = reviewer
    }

    /// Takes all of them, or none.
    package func run(on link: PgLink) throws -> ReviewReport {
        guard !reason.isEmpty, reason.count <= 200, !reviewer.isEmpty, reviewer.count <= 80 else {
            throw CommandFailure(
                .usage, "a reason has 1 to 200 characters and a reviewer 1 to 80", remedy: "Shorten or name them.")
        }
        if let fault = ReviewWords.faults(reason: reason, reviewer: reviewer).first {
            throw CommandFailure(
                .usage, "--\(fault.column == "reviewer" ? "by" : fault.column) \(fault.reason)",
                remedy: "Say who decided with --by, and why with --reason.")
        }
        return try link.transaction {
            let store = ReviewStore(link)
            let periods = try store.lockOpenPeriods(deadlineDays: deadlineDays)
            guard !periods.isEmpty else { throw CommandFailure.noOpenPeriod }
            var delegations: [Int16] = []
            for outcome in outcomes {
                guard let delegation = try store.delegation(of: outcome, periods: periods) else {
                    throw CommandFailure(
                        .findings, "there is no outcome \(outcome) in a period that takes reviews",
                        remedy: "`dispatcherd review list --pending` shows what waits.")
                }
                delegations.append(delegation)
            }
            try store.stage()
            try link.copyIn(ReviewStore.stageSQL) { writer in
                for (index, outcome) in outcomes.enumerated() {
                    try writer.row(columns: 6)
                    writer.int32(Int32(clamping: index + 1))
                    writer.int16(delegations[index])
                    writer.int64(outcome)
                    for text in [decision.rawValue, reason, reviewer] { writer.text(text) }
                }
            }
            try store.check(periods: periods) { fault in
                throw CommandFailure(
                    .findings, "outcome \(outcomes[Int(fault.line) - 1]): \(fault.value) \(fault.reason)",
                    remedy:
                        "Nothing was taken. A decision stands: of a rejection its agency may contest once (`dispatcherd review contest`), and what was approved in error "
                        + "is taken back by a later statement (`dispatcherd adjustment propose`).")
            }
            return ReviewReport(
                try store.apply { try link.insertBlocks(LedgerBlock.seal($0.map(LedgerRecord.review))) })
        }
    }
}
