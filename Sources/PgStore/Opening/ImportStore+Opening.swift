// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What can be told of an opening by sets; ``OpeningStore`` takes it over.
extension ImportStore {
    var openingChecks: [String] {
        [
            openingTwice(
                "holding", key: ["delegation_id", "account_id"], column: "account_id", what: "account is held"),
            openingTwice(
                "agreement", key: ["delegation_id", "account_id"], column: "account_id", what: "account is agreed"),
            openingTwice(
                "extension", key: ["delegation_id", "account_id"], column: "account_id", what: "account is extended"),
            openingTwice(
                "holder", key: ["delegation_id", "account_id", "agency_id", "from_on"], column: "from_on",
                what: "account and agency stand with that day"),
            openingTwice(
                "breach", key: ["contract_id", "delegation_id", "from_on", "value"], column: "from_on",
                what: "contract, rule and day stand"),
            """
            SELECT s.line, 'account_id', s.account_id::text, 'is not in the cut of \(period) in that delegation'
            FROM   import_row s
            WHERE  s.kind IN ('holding', 'agreement', 'extension')
            AND    NOT EXISTS (SELECT FROM account a WHERE a.period = \(period.number)
                               AND a.delegation_id = s.delegation_id AND a.account_id = s.account_id)
            """,
            """
            SELECT s.line, 'contract_id', s.contract_id::text,
                   CASE WHEN c.contract_id IS NULL THEN 'there is no such contract; import contracts first'
                        WHEN k.contract_id IS NULL THEN 'the contract does not work in that delegation'
                        WHEN s.strategy <> ALL (c.strategies) THEN 'the contract does not have that strategy'
                        ELSE 'the contract ends on ' || c.ends_on || ', before the term' END
            FROM   import_row s
            LEFT   JOIN contract c ON c.contract_id = s.contract_id
            LEFT   JOIN LATERAL (SELECT k.contract_id FROM contract_capacity k
                                 WHERE k.contract_id = s.contract_id AND k.delegation_id = s.delegation_id
                                 LIMIT 1) k ON true
            WHERE  s.contract_id IS NOT NULL
            AND    (c.contract_id IS NULL OR k.contract_id IS NULL
                    OR s.kind = 'holding' AND (s.strategy <> ALL (c.strategies) OR s.until_on > c.ends_on))
            """,
            """
            SELECT s.line, 'agency_id', s.agency_id::text, 'there is no such agency; it comes with its contracts'
            FROM   import_row s
            WHERE  s.agency_id IS NOT NULL AND NOT EXISTS (SELECT FROM agency a WHERE a.agency_id = s.agency_id)
            """,
            """
            SELECT s.line, 'until_on', s.until_on::text, 'the term is over before the period'
            FROM   import_row s WHERE s.kind = 'holding' AND s.until_on < '\(period.firstDay)'
            """,
            """
            SELECT s.line, 'account_id', s.account_id::text, 'is dealt here already'
            FROM   import_row s
            WHERE  s.kind = 'holding'
            AND    EXISTS (SELECT FROM deal d WHERE d.delegation_id = s.delegation_id AND d.account_id = s.account_id)
            """,
            """
            SELECT s.line, 'account_id', s.account_id::text,
                   'is stopped, so nobody may hold it; take it back first, and leave it out'
            FROM   import_row s
            WHERE  s.kind = 'holding'
            AND    EXISTS (SELECT FROM standing_stop t WHERE t.delegation_id = s.delegation_id
                           AND t.account_id = s.account_id AND (t.until_on IS NULL OR t.until_on >= '\(period.firstDay)'))
            """,
            """
            SELECT s.line, 'from_on', s.from_on::text, 'is in none of the six months before \(period)'
            FROM   import_row s
            WHERE  s.kind = 'breach' AND (s.from_on >= '\(period.firstDay)'
                                          OR s.from_on < '\(period.advanced(byMonths: -6).firstDay)')
            """,
            """
            SELECT s.line, 'value', s.value, 'the period is segmented already; months of prórroga come before that'
            FROM   import_row s
            WHERE  s.kind = 'extension' AND EXISTS (SELECT FROM segmentation g WHERE g.period = \(period.number))
            """,
        ]
            + [
                ("agreement", "opening_agreement", "is agreed already, by an earlier file"),
                ("extension", "opening_extension", "is extended already, by an earlier file"),
            ].map { kind, table, reason in
                """
                SELECT s.line, 'account_id', s.account_id::text, '\(reason)'
                FROM   import_row s JOIN \(table) t USING (delegation_id, account_id) WHERE s.kind = '\(kind)'
                """
            }
    }

    /// Rows of one kind that have their key in common. All of them: nobody can tell which one is right.
    private func openingTwice(_ kind: String, key: [String], column: String, what: String) -> String {
        let join = key.map { "s.\($0) = d.\($0)" }.joined(separator: " AND ")
        return """
            SELECT s.line, '\(column)', s.\(column)::text,
                   'the \(what) in line ' || CASE WHEN s.line = d.first THEN d.last ELSE d.first END || ' too'
            FROM   import_row s
            JOIN   (SELECT \(key.joined(separator: ", ")), min(line) AS first, max(line) AS last FROM import_row
                    WHERE kind = '\(kind)' GROUP BY \(key.joined(separator: ", ")) HAVING count(*) > 1) d ON \(join)
            WHERE  s.kind = '\(kind)'
            """
    }
}
