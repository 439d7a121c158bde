// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What was said of a lease that was over, or of none: refused and kept.
package struct KeptEvidence: Sendable {
    package let number: Int64
    package let verb: LateVerb
    package let key: IdempotencyKey
    package let lease: LeaseKey
    package let code: String
    package let receivedAt: Timestamp
    /// The request as it was sent, without its key.
    package let content: String
    package let requestHash: [UInt8]
    /// What the agency was told; `nil`: that a person decides.
    package let counts: Bool?
    package let decision: (word: String, by: String, reason: String, at: Timestamp)?
}

/// Evidence that waits for a person, and what was decided about it.
extension PgLink {
    /// - Parameter waiting: only what waits for a decision.
    /// - Returns: by number, from the one behind `after` on.
    package func readEvidence(
        waiting: Bool, agency: AgencyID?, after: Int64 = 0, limit: Int32
    ) throws(PgError) -> [KeptEvidence] {
        try run(
            waiting ? EvidenceStatements.waiting : EvidenceStatements.all,
            [.optional(agency?.value), .int64(after), .int32(limit)]
        ).compactMap(KeptEvidence.init)
    }

    /// What an agency said too late of one account, by number.
    package func readEvidence(
        of agency: AgencyID, in delegation: Delegation, account: AccountID
    ) throws(PgError) -> [KeptEvidence] {
        try run(
            EvidenceStatements.ofAccount, [.int16(delegation.value), .int32(agency.value), .int64(account.value)]
        ).compactMap(KeptEvidence.init)
    }

    /// One piece of evidence that waits.
    ///
    /// - Locks: its row, until the end of the transaction.
    package func lockWaitingEvidence(_ number: Int64) throws(PgError) -> KeptEvidence? {
        try run(EvidenceStatements.lock, [.int64(number)]).first.flatMap(KeptEvidence.init)
    }

    package func decideEvidence(_ evidence: KeptEvidence, decision: String, reason: String, by: String) throws(PgError)
    {
        try run(
            EvidenceStatements.decide,
            [.int64(evidence.number), .text(decision), .text(reason), .text(by)])
    }

    /// Whether somebody who held the account later has reported work on it. A next holder's work is never older than the late one's,
    /// so it lies in that period or in a later one.
    package func hasLaterOutcome(_ lease: LeaseKey, from period: Period) throws(PgError) -> Bool {
        try run(
            EvidenceStatements.later,
            [
                .int32(period.number), .int16(lease.delegation.value), .int64(lease.account.value),
                .int64(lease.epoch.value),
            ])[0].bool(0)
    }

    /// - Locks: the grants under which the account was leased later, so that reports on it that are under way come before, and all
    ///   others behind; until the end of the transaction.
    package func lockLaterGrants(_ lease: LeaseKey) throws(PgError) {
        let epochs = try run(
            "SELECT epoch FROM deal WHERE delegation_id = $1 AND account_id = $2 AND epoch > $3 ORDER BY epoch",
            [.int16(lease.delegation.value), .int64(lease.account.value), .int64(lease.epoch.value)]
        ).map { $0.int64(0) }
        guard !epochs.isEmpty else { return }
        try run(
            EngineStatements.lockGrantsForUpdate,
            [
                .int16s(epochs.map { _ in lease.delegation.value }), .int64s(epochs.map { _ in lease.account.value }),
                .int64s(epochs), .int16s([]), .int32s([]), .int32s([]),
            ])
    }

    /// Whether a ban of visits that is in force was so at an instant, where the account is.
    package func wasVisitBanned(_ lease: LeaseKey, at instant: Timestamp) throws(PgError) -> Bool {
        try run(
            EvidenceStatements.wasVisitBanned,
            [
                .int16(lease.delegation.value), .int64(lease.account.value), .int64(lease.epoch.value),
                .timestamp(instant),
            ])[0].bool(0)
    }

    /// Whether a period takes work.
    ///
    /// - Locks: its row against being closed, until the end of the transaction.
    package func lockOpen(_ period: Period) throws(PgError) -> Bool {
        try run("SELECT state = 'open' FROM period WHERE period = $1 FOR KEY SHARE", [.int32(period.number)])
            .first?.bool(0) ?? false
    }

    /// A number for an outcome that is written outside of a group.
    package func reserveOutcomeNumber() throws(PgError) -> Int64 {
        try run("SELECT nextval('outcome_number')")[0].int64(0)
    }
}

extension KeptEvidence {
    fileprivate init?(_ row: PgRow) {
        guard let delegation = Delegation(row.int16(1)), let agency = AgencyID(row.int32(2)),
            let account = AccountID(row.int64(6)), let epoch = Epoch(row.int64(7)),
            let verb = LateVerb(rawValue: row.text(16))
        else { return nil }
        self.verb = verb
        number = row.int64(0)
        key = IdempotencyKey(delegation: delegation, agency: agency, instance: row.int32(3), key: row.int64(4))
        code = row.text(5)
        lease = LeaseKey(delegation: delegation, account: account, epoch: epoch)
        counts = row.optionalBool(8)
        receivedAt = row.timestamp(9)
        content = row.text(10)
        requestHash = row.bytes(11)
        decision = row.optionalText(12).map {
            ($0, row.optionalText(13) ?? "", row.optionalText(14) ?? "", row.timestamp(15))
        }
    }
}

enum EvidenceStatements {
    private static let columns = """
        evidence_id, delegation_id, agency_id, instance_id, key, code, account_id, epoch, counts, received_at, content,
               request_hash, decision, decided_by, decision_reason, decided_at, verb
        """

    private static func list(_ condition: String) -> String {
        """
        SELECT \(columns) FROM evidence
         WHERE \(condition) AND ($1::integer IS NULL OR agency_id = $1) AND evidence_id > $2
         ORDER BY evidence_id LIMIT $3
        """
    }

    /// $1 agency or null, $2 the number behind which it begins, $3 how many
    static let waiting = list("counts IS NULL AND decision IS NULL")
    static let all = list("true")

    /// $1 delegation, $2 agency, $3 account
    static let ofAccount = """
        SELECT \(columns) FROM evidence
         WHERE delegation_id = $1 AND agency_id = $2 AND account_id = $3
         ORDER BY evidence_id LIMIT 100
        """

    /// $1 number
    static let lock = """
        SELECT \(columns) FROM evidence
         WHERE evidence_id = $1 AND counts IS NULL AND decision IS NULL
           FOR UPDATE
        """

    /// $1 number, $2 decision, $3 reason, $4 by
    static let decide = """
        UPDATE evidence SET decision = $2, decision_reason = $3, decided_by = $4, decided_at = now_instant()
         WHERE evidence_id = $1 AND counts IS NULL AND decision IS NULL
        """

    /// $1 delegation, $2 account, $3 epoch, $4 instant
    static let wasVisitBanned = """
        SELECT EXISTS (
               SELECT FROM deal d
                 JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
                 JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
                 JOIN visit_ban b ON b.delegation_id = d.delegation_id AND b.municipality IN (0, p.municipality)
                                 AND b.rule_pack = ANY (h.rule_packs) AND b.since <= $4
                WHERE d.delegation_id = $1 AND d.account_id = $2 AND d.epoch = $3)
        """

    /// Reports have no index by account. So those of the later holders alone are read, by the key that they begin with; mostly there is
    /// no later holder. $1 the first period, $2 delegation, $3 account, $4 epoch
    static let later = """
        SELECT EXISTS (
               SELECT FROM deal d
                CROSS JOIN LATERAL (
                      SELECT g.agency_id FROM lease_grant g
                       WHERE g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id AND g.first_position <= d.position
                       ORDER BY g.first_position DESC LIMIT 1) h
                CROSS JOIN LATERAL (
                      SELECT FROM outcome o
                       WHERE o.period >= $1 AND o.delegation_id = d.delegation_id AND o.agency_id = h.agency_id
                         AND o.account_id = d.account_id AND o.epoch = d.epoch
                       LIMIT 1) o
                WHERE d.delegation_id = $2 AND d.account_id = $3 AND d.epoch > $4)
        """
}
