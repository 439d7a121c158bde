// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What was said too late, as its ledger record has it.
package struct RecordedEvidence: Sendable {
    package let row: EvidenceRow
    package let at: Timestamp
}

/// What a person decided about evidence.
package struct RecordedAdjudication: Sendable {
    package let number: Int64
    package let lease: LeaseKey
    package let agency: AgencyID
    package let decision: String
    package let reason: String
    package let by: String
    package let at: Timestamp
}

/// A recall as it stands: the latest notice of a lease, and what was said and decided about it.
package struct RecordedNotice: Sendable {
    package let lease: LeaseKey
    package let reason: String
    package let finalAt: Timestamp
    package let by: String
    package let at: Timestamp
    package let objection: (row: ObjectionRow, at: Timestamp)?
    package let decision: (word: String, reason: String, by: String, at: Timestamp)?
}

/// Rows of leases that change after they were written, and evidence; each with what its records are made of.
extension PgLink {
    /// Evidence that came in a stretch of time.
    package func recordedEvidence(
        _ delegation: Delegation, from: Timestamp, until: Timestamp
    ) throws(PgError) -> [RecordedEvidence] {
        try run(
            """
            SELECT agency_id, instance_id, key, verb, evidence_id, code, account_id, epoch, live_epoch, counts, content,
                request_hash, received_at
            FROM evidence WHERE delegation_id = $1 AND received_at >= $2 AND received_at < $3
            """, [.int16(delegation.value), .timestamp(from), .timestamp(until)]
        ).compactMap { row in
            guard let agency = AgencyID(row.int32(0)), let verb = LateVerb(rawValue: row.text(3)),
                let code = StaleReason(rawValue: row.text(5)), let account = AccountID(row.int64(6)),
                let epoch = Epoch(row.int64(7))
            else { return nil }
            return RecordedEvidence(
                row: EvidenceRow(
                    verb: verb,
                    key: IdempotencyKey(
                        delegation: delegation, agency: agency, instance: row.int32(1), key: row.int64(2)),
                    number: row.int64(4), code: code, account: account, epoch: epoch,
                    liveEpoch: row.optionalInt64(8).flatMap { Epoch($0) }, counts: row.optionalBool(9),
                    content: row.text(10), requestHash: row.bytes(11)),
                at: row.timestamp(12))
        }
    }

    /// Decisions about evidence, of whatever day.
    package func recordedAdjudications(_ delegation: Delegation) throws(PgError) -> [RecordedAdjudication] {
        try run(
            """
            SELECT evidence_id, agency_id, account_id, epoch, decision, coalesce(decision_reason, ''),
                coalesce(decided_by, ''), decided_at
            FROM evidence WHERE delegation_id = $1 AND decision IS NOT NULL AND decided_at IS NOT NULL
            """, [.int16(delegation.value)]
        ).compactMap { row in
            guard let agency = AgencyID(row.int32(1)), let account = AccountID(row.int64(2)),
                let epoch = Epoch(row.int64(3))
            else { return nil }
            return RecordedAdjudication(
                number: row.int64(0), lease: LeaseKey(delegation: delegation, account: account, epoch: epoch),
                agency: agency, decision: row.text(4), reason: row.text(5), by: row.text(6), at: row.timestamp(7))
        }
    }

    /// Recalls, of whatever day.
    package func recordedNotices(_ delegation: Delegation) throws(PgError) -> [RecordedNotice] {
        try run(
            """
            SELECT account_id, epoch, reason, final_at, coalesce(noticed_by, ''), noticed_at, objection, held_until,
                objected_at, decision, coalesce(decision_reason, ''), coalesce(decided_by, ''), decided_at
            FROM notice WHERE delegation_id = $1
            """, [.int16(delegation.value)]
        ).compactMap { row in
            guard let account = AccountID(row.int64(0)), let epoch = Epoch(row.int64(1)) else { return nil }
            let lease = LeaseKey(delegation: delegation, account: account, epoch: epoch)
            let (decision, reason, by) = (row.optionalText(9), row.text(10), row.text(11))
            var objection: (row: ObjectionRow, at: Timestamp)?
            if let at = row.optionalTimestamp(8) {
                objection = (
                    ObjectionRow(
                        lease: lease, reason: row.optionalText(6) ?? "", heldUntil: row.optionalTimestamp(7) ?? at), at
                )
            }
            return RecordedNotice(
                lease: lease, reason: row.text(2), finalAt: row.timestamp(3), by: row.text(4), at: row.timestamp(5),
                objection: objection,
                decision: decision.map { ($0, reason, by, row.optionalTimestamp(12) ?? row.timestamp(5)) })
        }
    }

    /// Grants whose term is not the one that they were given with: an extension changed it.
    package func extendedTerms(_ delegation: Delegation) throws(PgError) -> [(grant: GrantID, term: Timestamp)] {
        try run(
            "SELECT hand_id, first_position, term FROM lease_grant WHERE delegation_id = $1 AND term <> granted_term",
            [.int16(delegation.value)]
        ).map { (GrantID(hand: $0.int32(0), first: $0.int32(1)), $0.timestamp(2)) }
    }
}
