// SPDX-License-Identifier: Apache-2.0

/// Whose a payment is, in plain SQL: of the contract that held the account on the day of the payment, of a reversal on the day of what
/// it reverses.
enum OraclePayments {
    /// The column `contract_id` and the rest of the statement behind it: payments are `y`.
    static let ofHolder = """
        (SELECT h.contract_ids[1] FROM deal d JOIN hand h ON h.hand_id = d.hand_id
                JOIN lease_grant g ON g.hand_id = d.hand_id AND d.position BETWEEN g.first_position AND g.last_position
                    AND (g.skipped IS NULL OR d.position <> ALL (g.skipped))
                LEFT JOIN ending e ON e.account_id = d.account_id AND e.epoch = d.epoch
                WHERE d.account_id = y.account_id
                    AND (g.granted_at AT TIME ZONE interval '-6 hours')::date <= day.paid_on
                    AND (least(e.ended_at, g.term) AT TIME ZONE interval '-6 hours')::date >= day.paid_on
                ORDER BY g.granted_at DESC LIMIT 1) AS contract_id
          FROM payment y,
               LATERAL (SELECT coalesce((SELECT o.paid_on FROM payment o WHERE o.payment_id = y.reverses), y.paid_on) AS paid_on) day
        """
}
