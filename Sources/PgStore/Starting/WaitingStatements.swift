// SPDX-License-Identifier: Apache-2.0

/// The statements of started accounts that wait in hands.
enum WaitingStatements {
    /// The latest grant that began at or before a deal `d`'s position.
    static let grant = """
        SELECT x.last_position, x.skipped, x.state, x.contract_id FROM lease_grant x
         WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id AND x.first_position <= d.position
         ORDER BY x.first_position DESC LIMIT 1
        """

    /// The latest deal of each account at work that nothing ended, with its hand and the grant over it.
    private static let latest = """
          FROM start_verdict v
         CROSS JOIN LATERAL (SELECT d.delegation_id, d.account_id, d.epoch, d.hand_id, d.position FROM deal d
                              WHERE d.delegation_id = v.delegation_id AND d.account_id = v.account_id
                              ORDER BY d.epoch DESC LIMIT 1) d
          JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
          LEFT JOIN LATERAL (\(grant)) g ON true
        """

    private static let unended = """
        NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = d.delegation_id AND e.account_id = d.account_id
                                           AND e.epoch = d.epoch)
        """

    private static let waits = "h.state = 'open' AND d.position > coalesce(g.last_position, 0)"

    private static let held = """
        g.state = 'open' AND d.position <= g.last_position AND d.position <> ALL (coalesce(g.skipped, '{}'))
        """

    /// Of what the import ends all that waits, and what is excluded wherever it is.
    private static let ends = "\(unended) AND (v.exclusion IS NOT NULL OR \(waits))"

    /// The hands of all that waits, and those of what is ended because it is excluded: at once, because all who lock several
    /// hands lock them in one order.
    static let lockHands = """
        SELECT 1 FROM hand
         WHERE (delegation_id, hand_id) IN (
               SELECT d.delegation_id, d.hand_id \(latest)
                WHERE \(ends))
         ORDER BY delegation_id, hand_id
           FOR NO KEY UPDATE
        """

    /// In a statement behind the locks: what was drawn while they were waited for is held. What waits in a front hand with the
    /// same words and amounts as it would be dealt with now is current. Each is noted with those who have room again once it is ended:
    /// for whom it waits, or who holds it. $1 period
    static let note = """
        INSERT INTO start_waiting (delegation_id, account_id, epoch, hand_id, position, is_current, room_of)
        SELECT v.delegation_id, v.account_id, d.epoch, d.hand_id, d.position,
               h.is_front
               AND (h.strategy, h.portfolio, p.tactic, p.priority, p.arrears, p.due, p.overdue, p.municipality, p.reference)
                   IS NOT DISTINCT FROM
                   (v.strategy, v.portfolio, v.tactic, v.priority, a.arrears, a.due, a.overdue, a.municipality, a.reference),
               CASE WHEN \(waits) THEN h.contract_ids WHEN \(held) THEN ARRAY[g.contract_id] ELSE '{}' END
        \(latest)
          JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
          JOIN account a ON a.period = $1 AND a.delegation_id = v.delegation_id AND a.account_id = v.account_id
         WHERE \(ends)
        """

    /// $1 reason
    static let stageWithdrawals = """
        INSERT INTO to_end (delegation_id, account_id, kind, reason)
        SELECT w.delegation_id, w.account_id, 'withdrawal', $1
          FROM start_waiting w
          JOIN start_verdict v USING (delegation_id, account_id)
         WHERE NOT w.is_current AND v.exclusion IS NULL
        """
}
