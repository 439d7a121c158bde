// SPDX-License-Identifier: Apache-2.0

/// What ``ClosingStatements/bands(_:)`` and ``ClosingStatements/givenBack`` count, account by account: for whoever tells a line of
/// contingency apart.
enum ContingencyAccounts {
    /// The deals by which an account that paid counts for a contract, as `bands` takes them: those of the month, but for what was dealt
    /// to the same contract again in it, and the leased ones of earlier months. Columns `overdue`, and `days_late` by the month's cut
    /// or else by that of the deal's month.
    ///
    /// All parameters are expressions over names of outside; `d`, `h`, `p`, `a`, `f`, `g`, `again` and `later` mean something else within.
    static func counted(contract: String, delegation: String, account: String, period: String) -> String {
        """
        SELECT p.overdue, coalesce(a.days_late, f.days_late) AS days_late
        FROM deal d
        JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
        JOIN position p ON p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id AND p.position = d.position
        LEFT JOIN account a ON a.period = \(period) AND a.delegation_id = d.delegation_id AND a.account_id = d.account_id
        LEFT JOIN account f ON f.period = h.period AND f.delegation_id = d.delegation_id AND f.account_id = d.account_id
        WHERE d.delegation_id = \(delegation) AND d.account_id = \(account) AND h.period <= \(period) AND h.state <> 'inactive'
            AND CASE WHEN h.period = \(period) AND cardinality(h.contract_ids) = 1
                THEN h.contract_ids[1] = \(contract) AND NOT (\(isSuperseded))
                ELSE EXISTS (SELECT FROM lease_grant g
                    WHERE g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id AND g.contract_id = \(contract)
                        AND d.position BETWEEN g.first_position AND g.last_position
                        AND NOT d.position = ANY (coalesce(g.skipped, '{}'))
                        AND (h.period < \(period) OR g.granted_at < \(end(of: period)))) END
        """
    }

    /// Of ``counted(contract:delegation:account:period:)`` the most that was overdue in the band with the first day `first`.
    static func overdue(
        contract: String, delegation: String, account: String, period: String, first: String, bands: String
    ) -> String {
        """
        (SELECT max(c.overdue) FROM (
            \(counted(contract: contract, delegation: delegation, account: account, period: period))) c
            WHERE (SELECT max(first) FROM unnest(\(bands)) first WHERE first <= c.days_late) = \(first))
        """
    }

    /// As ``ClosingStatements/superseded(_:)`` has it, of the deal `d` of the hand `h`.
    private static let isSuperseded = """
        EXISTS (
            SELECT FROM deal again JOIN hand later ON later.delegation_id = again.delegation_id AND later.hand_id = again.hand_id
            WHERE again.delegation_id = d.delegation_id AND again.account_id = d.account_id
                AND later.period = h.period AND later.contract_ids = h.contract_ids AND later.state <> 'inactive'
                AND (\(isWithdrawn("later", "again")), -again.epoch) < (\(isWithdrawn("h", "d")), -d.epoch))
        """

    private static func isWithdrawn(_ hand: String, _ deal: String) -> String {
        "coalesce(\(hand).withdrawn_at < \(end(of: "\(hand).period")) AND \(deal).position > \(hand).withdrawn_from, false)"
    }

    /// The first instant after a month, by the clock of Mexico City.
    private static func end(of period: String) -> String {
        """
        (make_timestamp(\(period) / 100, \(period) % 100, 1, 0, 0, 0) + interval '1 month') AT TIME ZONE interval '-6 hours'
        """
    }

    /// The most that was overdue of an account under any deal by which a kept statement of the month `period` may have counted it: what
    /// `givenBack` limits its payments by.
    static func limit(contract: String, delegation: String, account: String, period: String) -> String {
        """
        (SELECT max(p.overdue) FROM deal d JOIN position p USING (delegation_id, hand_id, position)
            JOIN hand h USING (delegation_id, hand_id)
            WHERE d.delegation_id = \(delegation) AND d.account_id = \(account) AND h.period <= \(period)
                AND \(contract) = ANY (h.contract_ids))
        """
    }
}
