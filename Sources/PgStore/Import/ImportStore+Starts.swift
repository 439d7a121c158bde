// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What can be told of starts without a policy; ``StartStore`` takes them over.
extension ImportStore {
    var startChecks: [String] {
        [
            duplicates("account_id", column: "account", value: "s.account_id::text", what: "the same account"),
            """
            SELECT s.line, 'on_date', s.on_date::text,
                   'that start is loaded already, with other values; what changed later needs a later on_date'
            FROM   import_row s JOIN start t USING (delegation_id, account_id, reason, on_date)
            WHERE  t.revocations = \(StartStatements.revocations) AND t.changes IS DISTINCT FROM \(StartStatements.changes)
            """,
            """
            SELECT s.line, 'account', s.account_id::text,
                   CASE WHEN c.delegation_id IS NULL
                        THEN 'is not in the cut of \(period); an account that is new comes as new-account'
                        ELSE 'is in the cut of delegation ' || c.delegation_id END
            FROM   import_row s
            \(inCut)
            WHERE  s.reason <> 'new-account' AND s.account_id IS NOT NULL
            AND    NOT EXISTS (SELECT FROM account a WHERE a.period = \(period.number)
                               AND a.delegation_id = s.delegation_id AND a.account_id = s.account_id)
            """,
            """
            SELECT s.line, 'account', s.account_id::text,
                   'is in the cut of delegation ' || c.delegation_id || ' already; say what changed of it'
            FROM   import_row s
            \(inCut)
            WHERE  s.reason = 'new-account' AND c.delegation_id IS NOT NULL
            AND    NOT EXISTS (SELECT FROM start t WHERE t.delegation_id = s.delegation_id
                               AND t.account_id = s.account_id AND t.reason = s.reason AND t.on_date = s.on_date)
            """,
            """
            SELECT s.line, 'municipality', s.municipality::text, 'was never stopped as a municipality for that reason'
            FROM   import_row s
            WHERE  s.account_id IS NULL
            AND    NOT EXISTS (SELECT FROM stop t WHERE t.delegation_id = s.delegation_id
                               AND t.municipality = s.municipality AND t.reason = ANY (string_to_array(s.ended, ';')))
            """,
        ]
    }

    /// The delegation that the period's cut has the account in; every one is asked, so that each look-up is one on the
    /// key.
    private var inCut: String {
        """
        LEFT   JOIN LATERAL (
                   SELECT a.delegation_id FROM account a
                   WHERE  a.period = \(period.number) AND a.account_id = s.account_id
                   AND    a.delegation_id = ANY (ARRAY(SELECT generate_series(1, 32)::smallint))
                   LIMIT  1) c ON true
        """
    }
}
