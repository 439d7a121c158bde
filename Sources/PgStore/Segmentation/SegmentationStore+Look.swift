// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The verdict on record for one account: placed with a strategy, or excluded with a reason.
package struct RecordedVerdict: Sendable {
    package let strategy: Strategy?
    package let tactic: String?
    package let portfolio: Portfolio?
    package let priority: Int16?
    package let rule: String
    package let exclusion: String?
}

/// How an account started to be collected within its period.
package struct RecordedStart: Sendable {
    package let reason: String
    package let onDate: LocalDate
    /// The day as of which the policy placed it.
    package let placedOn: LocalDate
    /// It had a session of mediation before.
    package let wasInvited: Bool
}

/// What is looked up of one account and of a whole period without locking or writing anything.
extension SegmentationStore {
    /// The state of the period: open, closing, closed; `nil` where nothing of it was ever imported. Locks nothing.
    package func state() throws(PgError) -> String? {
        try link.run(SegmentationStatements.state, [.int32(period.number)]).first?.text(0)
    }

    package func hasCut() throws(PgError) -> Bool {
        try link.run(SegmentationStatements.hasCut, [.int32(period.number)]).first?.bool(0) ?? false
    }

    /// The latest months that a cut was imported for, the latest first.
    package func monthsWithCut(limit: Int32) throws(PgError) -> [Period] {
        try link.run(SegmentationStatements.monthsWithCut, [.int32(limit)]).compactMap { Period(number: $0.int32(0)) }
    }

    /// The account's latest start within the period; `nil` where it has none.
    package func start(_ delegation: Delegation, _ account: AccountID) throws(PgError) -> RecordedStart? {
        let row = try link.run(
            SegmentationStatements.startOf,
            [.int32(period.number), .int16(delegation.value), .int64(account.value)]
        ).first
        return row.map {
            RecordedStart(reason: $0.text(0), onDate: $0.date(1), placedOn: $0.date(2), wasInvited: $0.bool(3))
        }
    }

    /// The delegation in whose cut the account is; `nil` where the period's cut does not have it.
    package func delegation(of account: AccountID) throws(PgError) -> Delegation? {
        let row = try link.run(
            SegmentationStatements.delegationOf, [.int32(period.number), .int64(account.value)]
        ).first
        return row.flatMap { Delegation($0.int16(0)) }
    }

    /// One account with its values, as ``readCut(_:cut:only:fields:_:)`` gives it; `nil` where the cut does not have it.
    package func readAccount(_ delegation: Delegation, _ account: AccountID, cut: LocalDate) throws -> AccountRow? {
        var found: AccountRow?
        try readCut(delegation, cut: cut, only: "\(account.value)") { _, row in found = copy row }
        return found
    }

    /// The verdict that is on record; `nil` where there is none, as for an account with nothing to collect.
    package func placement(_ delegation: Delegation, _ account: AccountID) throws(PgError) -> RecordedVerdict? {
        let row = try link.run(
            SegmentationStatements.placementOf,
            [.int32(period.number), .int16(delegation.value), .int64(account.value)]
        ).first
        return row.map { row in
            RecordedVerdict(
                strategy: row.optionalInt16(0).flatMap(Strategy.init(rawValue:)),
                tactic: row.optionalText(1), portfolio: row.optionalInt16(2).flatMap(Portfolio.init(rawValue:)),
                priority: row.optionalInt16(3), rule: row.text(4), exclusion: row.optionalText(5))
        }
    }
}
