// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Stop events: recorded, and the stopped account's deal ended, whether it is held or only dealt (ASG-10).
///
/// A row names an account, or a municipality and with it every account that the period's cut has there (SOL-03).
extension ImportStore {
    var stopChecks: [String] {
        [
            duplicates(
                "delegation_id, account_id, reason, from_on", column: "account", value: "s.account_id::text",
                what: "the same account, reason and day"),
            duplicates(
                "delegation_id, municipality, reason, from_on", column: "municipality",
                value: "s.municipality::text", what: "the same municipality, reason and day"),
            stopChangeCheck("t.account_id = s.account_id AND t.municipality IS NULL"),
            stopChangeCheck("t.municipality = s.municipality"),
            """
            SELECT s.line, 'municipality', s.municipality::text,
                   'the cut of \(period) has no account there; import the cut first, or look for a misspelt key'
            FROM   import_row s
            WHERE  s.municipality IS NOT NULL
            AND    NOT EXISTS (SELECT FROM account a
                               WHERE a.period = \(period.number) AND a.delegation_id = s.delegation_id
                                   AND a.municipality = s.municipality)
            """,
            """
            SELECT u.line, 'delegation', u.delegation_id::text,
                   'the account is in delegation ' || c.delegation_id || ' by the cut; a stop there would reach nobody'
            FROM   (SELECT s.line, s.delegation_id, s.account_id
                    FROM   import_row s
                    WHERE  s.account_id IS NOT NULL
                    AND    NOT EXISTS (SELECT FROM account a
                                       WHERE a.delegation_id = s.delegation_id AND a.account_id = s.account_id)) u
            JOIN   LATERAL (SELECT max(a.delegation_id) AS delegation_id FROM account a
                            WHERE a.delegation_id = ANY (ARRAY(SELECT generate_series(1, 32)::smallint))
                            AND   a.account_id = u.account_id) c ON c.delegation_id IS NOT NULL
            """,
        ]
    }

    private func stopChangeCheck(_ match: String) -> String {
        """
        SELECT DISTINCT s.line, 'until_on', s.until_on::text,
               'the stop is recorded with ' || coalesce(t.until_on::text, 'no last day')
                   || '; a change needs a row with a later from_on'
        FROM   import_row s
        JOIN   stop t ON t.delegation_id = s.delegation_id AND t.reason = s.reason AND t.from_on = s.from_on AND \(match)
        WHERE  t.until_on IS DISTINCT FROM s.until_on
        """
    }

    func applyStops(_ importID: Int64, seal: DealEndings.Seal) throws -> [ImportCount] {
        let values: [PgValue] = [.int32(period.number), .int64(importID)]
        let rows = try count("SELECT count(*) FROM import_row WHERE account_id IS NOT NULL")
        let added = Int64(try link.run(StopStatements.byAccount, values).affected)
        let inMunicipalities = try count(StopStatements.countInMunicipalities, [.int32(period.number)])
        let addedThere = Int64(try link.run(StopStatements.byMunicipality, values).affected)
        let endings = DealEndings(link)
        try endings.stage()
        try link.run(StopStatements.stageEndings)
        let ended = try endings.run(seal: seal)
        return [
            ImportCount("stops recorded", added + addedThere),
            ImportCount("of them by municipality", addedThere),
            ImportCount("stops already recorded", rows + inMunicipalities - added - addedThere),
            ImportCount("dealt accounts taken back", ended.ended),
            ImportCount("of them held and recalled", ended.held),
        ]
    }
}

private enum StopStatements {
    /// $1 period, $2 import_id
    static let byAccount = """
        INSERT INTO stop (period, delegation_id, account_id, reason, from_on, until_on, import_id)
        SELECT $1, delegation_id, account_id, reason, from_on, until_on, $2
        FROM   import_row WHERE account_id IS NOT NULL ORDER BY line
        ON CONFLICT (delegation_id, account_id, reason, from_on, coalesce(municipality, 0)) DO NOTHING
        """

    /// The cut's accounts in the municipalities of the file. $1 period
    private static let inMunicipalities = """
        FROM   import_row s
        JOIN   account a ON a.period = $1 AND a.delegation_id = s.delegation_id AND a.municipality = s.municipality
        WHERE  s.account_id IS NULL
        """

    /// $1 period
    static let countInMunicipalities = "SELECT count(*) \(inMunicipalities)"

    /// $1 period, $2 import_id
    static let byMunicipality = """
        INSERT INTO stop (period, delegation_id, account_id, reason, from_on, until_on, import_id, municipality)
        SELECT $1, s.delegation_id, a.account_id, s.reason, s.from_on, s.until_on, $2, s.municipality
        \(inMunicipalities)
        ORDER  BY s.line, a.account_id
        ON CONFLICT (delegation_id, account_id, reason, from_on, coalesce(municipality, 0)) DO NOTHING
        """

    /// The accounts of the file's stops that are in force today, each with its first one; a payoff goes before other
    /// reasons. A stop that was ended since it was first loaded is in the table and not in force.
    static let stageEndings = """
        WITH named AS MATERIALIZED (
            SELECT s.line, t.delegation_id, t.account_id, t.reason, t.until_on
            FROM   import_row s
            JOIN   standing_stop t ON t.delegation_id = s.delegation_id AND t.account_id = s.account_id
                AND t.reason = s.reason AND t.from_on = s.from_on
            UNION  ALL
            SELECT s.line, t.delegation_id, t.account_id, t.reason, t.until_on
            FROM   import_row s
            JOIN   standing_stop t ON t.delegation_id = s.delegation_id AND t.municipality = s.municipality
                AND t.reason = s.reason AND t.from_on = s.from_on
            WHERE  s.account_id IS NULL)
        INSERT INTO to_end (delegation_id, account_id, kind, reason)
        SELECT DISTINCT ON (delegation_id, account_id)
               delegation_id, account_id, CASE WHEN reason = 'payoff' THEN 'payoff' ELSE 'exclusion' END, reason
        FROM   named
        WHERE  until_on IS NULL OR until_on >= (SELECT (now_instant() - interval '5 hours')::date)
        ORDER  BY delegation_id, account_id, reason = 'payoff' DESC, line
        """
}
