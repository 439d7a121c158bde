// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Zones, schedules, agencies and contracts: small tables that later files are checked against.
extension ImportStore {
    // MARK: Zones

    var zoneChecks: [String] {
        [
            duplicates(
                "delegation_id", column: "delegation", value: "s.delegation_id::text", what: "the same delegation"),
            """
            SELECT DISTINCT ON (s.line) s.line, 'zone', s.zone_id::text,
                   'contract ' || c.contract_id || ' works in delegation ' || s.delegation_id || ' for zone '
                       || c.zone_id
            FROM   import_row s
            JOIN   contract_capacity p USING (delegation_id)
            JOIN   contract c USING (contract_id)
            WHERE  c.zone_id <> s.zone_id AND c.ends_on >= now_instant()::date
            ORDER  BY s.line, c.contract_id
            """,
        ]
    }

    func applyZones() throws(PgError) -> [ImportCount] {
        let changed = try link.run(
            """
            INSERT INTO zone_delegation (delegation_id, zone_id)
            SELECT delegation_id, zone_id FROM import_row
            ON CONFLICT (delegation_id) DO UPDATE SET zone_id = excluded.zone_id
            WHERE zone_delegation.zone_id <> excluded.zone_id
            """
        ).affected
        return [
            ImportCount("delegations with a new zone", Int64(changed)),
            ImportCount("delegations without a zone", 32 - (try count("SELECT count(*) FROM zone_delegation"))),
        ]
    }

    // MARK: Schedules

    var scheduleChecks: [String] {
        [
            duplicates(
                "schedule, effective_on, rule, parameter", column: "parameter", value: "s.parameter",
                what: "the same schedule, day, rule and parameter"),
            """
            SELECT s.line, 'value', s.value,
                   'is ' || t.value || ' in force since ' || t.effective_on
                       || '; a change needs a row with a later effective_on'
            FROM   import_row s
            JOIN   schedule t USING (schedule, effective_on, rule, parameter)
            WHERE  t.value <> s.value
            """,
            """
            SELECT s.line, 'kind', s.kind, 'the schedule is of kind ' || k.kind || ' already'
            FROM   import_row s
            JOIN   (SELECT DISTINCT ON (schedule) schedule, kind
                    FROM (SELECT schedule, kind, 0 AS line FROM schedule
                          UNION ALL SELECT schedule, kind, line FROM import_row) a
                    ORDER BY schedule, line) k USING (schedule)
            WHERE  k.kind <> s.kind
            """,
            """
            SELECT s.line, 'effective_on', s.effective_on::text,
                   'period ' || p.period / 100 || '-' || lpad((p.period % 100)::text, 2, '0')
                       || ' is closed; take a later day'
            FROM   import_row s
            JOIN   LATERAL (SELECT max(period) AS period FROM period WHERE state <> 'open') p
                   ON s.effective_on < make_date(p.period / 100, p.period % 100, 1) + interval '1 month'
            WHERE  EXISTS (SELECT FROM schedule t WHERE t.schedule = s.schedule)
            AND    NOT EXISTS (SELECT FROM schedule t WHERE (t.schedule, t.effective_on, t.rule, t.parameter)
                               = (s.schedule, s.effective_on, s.rule, s.parameter))
            """,
        ]
    }

    /// Scales of contingency fees (FEE-01…05) whose ranges overlap, leave a gap or lack their minimum; and versions that never
    /// apply, because a later one begins before the next month does. What is loaded counts with what is in the file.
    var scheduleOverlapChecks: [String] {
        let bands = "rule BETWEEN '\(MoraBand.days1to30.rawValue)' AND '\(MoraBand.over120.rawValue)'"
        func same(_ other: String) -> String {
            "(\(other).schedule, \(other).effective_on, \(other).rule) = (s.schedule, s.effective_on, s.rule)"
        }
        return [
            """
            WITH value AS (
                SELECT schedule, effective_on, rule, parameter FROM import_row WHERE \(bands)
                UNION SELECT schedule, effective_on, rule, parameter FROM schedule WHERE \(bands)),
            scale AS (
                SELECT *, CASE WHEN parameter LIKE '%-%' THEN split_part(parameter, '-', 1)::int END AS low,
                       CASE WHEN parameter LIKE '%-%' THEN split_part(parameter, '-', 2)::int END AS high
                FROM value WHERE parameter <> '\(ContingencyScale.minimumName)')
            SELECT s.line, 'parameter', s.parameter,
                   CASE WHEN o.parameter IS NOT NULL THEN 'overlaps `' || o.parameter || '` of the same version'
                        WHEN own.low > 0 AND before.high IS NULL THEN 'begins with ' || own.low || ', and no range of ' || s.rule
                            || ' ends with ' || own.low - 1
                        WHEN own.low IS NULL THEN 'is a minimum without a range; add rows such as `0-50`'
                        ELSE 'has no `minimum` beside it; add a row for it' END
            FROM   import_row s
            LEFT   JOIN scale own ON \(same("own")) AND own.parameter = s.parameter
            LEFT   JOIN LATERAL (SELECT o.parameter FROM scale o WHERE \(same("o")) AND o.parameter <> own.parameter
                       AND o.low <= own.high AND o.high >= own.low ORDER BY o.low, o.high LIMIT 1) o ON true
            LEFT   JOIN LATERAL (SELECT b.high FROM scale b WHERE \(same("b")) AND b.high = own.low - 1 LIMIT 1) before
                   ON true
            WHERE  s.\(bands)
            AND    (o.parameter IS NOT NULL OR own.low > 0 AND before.high IS NULL
                    OR own.low IS NULL AND NOT EXISTS (SELECT FROM scale z WHERE \(same("z")))
                    OR NOT EXISTS (SELECT FROM value m WHERE \(same("m"))
                           AND m.parameter = '\(ContingencyScale.minimumName)'))
            """,
            """
            SELECT s.line, 'effective_on', s.effective_on::text,
                   'is never in force: ' || s.schedule || ' has a version from ' || n.day
                       || ' on, before a month begins with this one'
            FROM   import_row s
            CROSS  JOIN LATERAL (SELECT min(v.effective_on) AS day
                       FROM (SELECT schedule, effective_on FROM schedule
                             UNION SELECT schedule, effective_on FROM import_row) v
                       WHERE v.schedule = s.schedule AND v.effective_on > s.effective_on) n
            WHERE  n.day <= (date_trunc('month', s.effective_on - 1) + interval '1 month')::date
            AND    NOT EXISTS (SELECT FROM schedule t WHERE (t.schedule, t.effective_on, t.rule, t.parameter)
                                                          = (s.schedule, s.effective_on, s.rule, s.parameter))
            """,
        ]
    }

    /// Rules that a version of a schedule does not name any more and the one before it does.
    package struct EndedRules: Sendable {
        package let version: ScheduleVersion
        package let former: ScheduleVersion
        /// Ascending.
        package let rules: [String]
        /// The first row of the file that makes it so.
        package let line: Int
    }

    /// What good rows of the file would end: a version replaces the one before it as a whole. What ended before the file is not told again.
    package func endedRules() throws(PgError) -> [EndedRules] {
        let key = "schedule, effective_on, rule, parameter"
        return try link.run(
            """
            WITH value AS (
                SELECT schedule, effective_on, rule FROM schedule
                UNION SELECT schedule, effective_on, rule FROM import_row),
            fresh AS (
                SELECT schedule, effective_on, min(line) AS line FROM import_row
                WHERE (\(key)) NOT IN (SELECT \(key) FROM schedule) GROUP BY 1, 2),
            version AS (
                SELECT schedule, effective_on AS day,
                       lag(effective_on) OVER (PARTITION BY schedule ORDER BY effective_on) AS former
                FROM (SELECT DISTINCT schedule, effective_on FROM value) v)
            SELECT n.schedule, n.day, n.former, least(f.line, b.line), array_agg(DISTINCT v.rule ORDER BY v.rule)
            FROM   version n
            JOIN   value v ON (v.schedule, v.effective_on) = (n.schedule, n.former)
            LEFT   JOIN fresh f ON (f.schedule, f.effective_on) = (n.schedule, n.day)
            LEFT   JOIN fresh b ON (b.schedule, b.effective_on) = (n.schedule, n.former)
            WHERE  (f.line IS NOT NULL OR b.line IS NOT NULL)
            AND    NOT EXISTS (SELECT FROM value o WHERE (o.schedule, o.effective_on, o.rule) = (n.schedule, n.day, v.rule))
            AND    NOT (EXISTS (SELECT FROM schedule t WHERE (t.schedule, t.effective_on) = (n.schedule, n.day))
                        AND EXISTS (SELECT FROM schedule t
                                    WHERE (t.schedule, t.effective_on, t.rule) = (n.schedule, n.former, v.rule)))
            GROUP  BY 1, 2, 3, 4
            ORDER  BY 1, 2
            """
        ).map { row in
            EndedRules(
                version: ScheduleVersion(name: row.text(0), effectiveOn: row.date(1)),
                former: ScheduleVersion(name: row.text(0), effectiveOn: row.date(2)), rules: row.texts(4),
                line: Int(row.int32(3)))
        }
    }

    /// Rules that the close could not charge: one of their values is neither loaded nor good in this file.
    var scheduleParameterCheck: String {
        let needed = PenaltyRule.allCases.flatMap { rule in
            rule.needed.map { "('\(rule.rawValue)', '\($0)')" }
        }
        return """
            SELECT s.line, 'rule', s.rule,
                   'has no ' || string_agg('`' || n.parameter || '`', ', ' ORDER BY n.parameter) || ' in ' || s.schedule
                       || ' from ' || s.effective_on || ' on; add a row for it'
            FROM   import_row s
            JOIN   (VALUES \(needed.joined(separator: ", "))) n (rule, parameter) ON n.rule = s.rule
            WHERE  s.kind = 'penalty'
            AND    NOT EXISTS (SELECT FROM import_row o
                               WHERE (o.schedule, o.effective_on, o.rule, o.parameter)
                                     = (s.schedule, s.effective_on, s.rule, n.parameter))
            AND    NOT EXISTS (SELECT FROM schedule t
                               WHERE (t.schedule, t.effective_on, t.rule, t.parameter)
                                     = (s.schedule, s.effective_on, s.rule, n.parameter))
            GROUP  BY s.line, s.rule, s.schedule, s.effective_on
            """
    }

    /// Versions of penalties without a rate of IVA, which every section of a statement ends with (AMB-19).
    var scheduleTaxCheck: String {
        let tax = PenaltyTerms.taxRule
        return """
            SELECT s.line, 'schedule', s.schedule,
                   'has no \(tax) from ' || s.effective_on || ' on; add a row `\(tax)`, `rate`'
            FROM   import_row s
            WHERE  s.kind = 'penalty'
            AND    NOT EXISTS (SELECT FROM import_row o WHERE (o.schedule, o.effective_on, o.rule, o.parameter)
                                                            = (s.schedule, s.effective_on, '\(tax)', 'rate'))
            AND    NOT EXISTS (SELECT FROM schedule t WHERE (t.schedule, t.effective_on, t.rule, t.parameter)
                                                          = (s.schedule, s.effective_on, '\(tax)', 'rate'))
            """
    }

    func applySchedules() throws(PgError) -> [ImportCount] {
        let added = try link.run(
            """
            INSERT INTO schedule (schedule, kind, effective_on, rule, parameter, value)
            SELECT schedule, kind, effective_on, rule, parameter, value FROM import_row
            ON CONFLICT DO NOTHING
            """
        ).affected
        return [
            ImportCount("values added", Int64(added)),
            ImportCount("values already there", try count("SELECT count(*) FROM import_row") - Int64(added)),
        ]
    }

    // MARK: Contracts

    func contractChecks(_ contractLevelColumns: [String]) -> [String] {
        let first = "(SELECT DISTINCT ON (contract_id) * FROM import_row ORDER BY contract_id, line)"
        let disagreements = contractLevelColumns.map { column in
            """
            SELECT s.line, '\(column)', \(shown(column)), 'differs from line ' || f.line || ' of the same contract'
            FROM   import_row s JOIN \(first) f USING (contract_id)
            WHERE  s.\(column) IS DISTINCT FROM f.\(column)
            """
        }
        return [
            duplicates(
                "contract_id, delegation_id", column: "delegation", value: "s.delegation_id::text",
                what: "the same contract and delegation")
        ] + disagreements + [
            """
            SELECT s.line, 'agency_name', s.agency_name, 'differs from line ' || f.line || ' of the same agency'
            FROM   import_row s
            JOIN   (SELECT DISTINCT ON (agency_id) agency_id, agency_name, line
                    FROM import_row ORDER BY agency_id, line) f
                   USING (agency_id)
            WHERE  s.agency_name <> f.agency_name
            """,
            """
            SELECT s.line, 'zone', s.zone_id::text,
                   coalesce('delegation ' || s.delegation_id || ' lies in zone ' || z.zone_id || ' by the zone map',
                            'the zone map lacks delegation ' || s.delegation_id || '; import zones first')
            FROM   import_row s LEFT JOIN zone_delegation z USING (delegation_id)
            WHERE  z.zone_id IS DISTINCT FROM s.zone_id
            """,
            scheduleMissing(column: "fee_schedule", kind: "fee"),
            scheduleMissing(column: "penalty_schedule", kind: "penalty"),
            scheduleLate(column: "fee_schedule", kind: "fee"),
            scheduleLate(column: "penalty_schedule", kind: "penalty"),
            """
            SELECT s.line, 'agency', \(agency("s.agency_id")), 'the contract is that of ' || \(agency("c.agency_id"))
                   || '; it takes a number of its own for another agency'
            FROM   import_row s JOIN contract c USING (contract_id)
            WHERE  c.agency_id <> s.agency_id
            """,
        ]
    }

    /// A staged value as it stands in the file.
    private func shown(_ column: String) -> String {
        switch column {
        case "agency_id": agency("s.agency_id")
        case "bond", "exposure_factor_bp": "trim_scale(s.\(column) / 100.0)::text"
        default: "s.\(column)::text"
        }
    }

    private func agency(_ column: String) -> String {
        "'ACE' || lpad(\(column)::text, greatest(2, length(\(column)::text)), '0')"
    }

    private func scheduleMissing(column: String, kind: String) -> String {
        """
        SELECT s.line, '\(column)', s.\(column), 'there is no \(kind) schedule of that name; import schedules first'
        FROM   import_row s
        WHERE  NOT EXISTS (SELECT FROM schedule t WHERE t.schedule = s.\(column) AND t.kind = '\(kind)')
        """
    }

    /// A statement takes the version in force on its month's first day: the contract's first one has to have one.
    private func scheduleLate(column: String, kind: String) -> String {
        """
        SELECT s.line, '\(column)', s.\(column),
               'has no version in force on ' || d.day || ', when the contract''s first month begins, only from '
                   || t.effective_on || ' on; import the one before, or correct starts_on'
        FROM   import_row s
        CROSS  JOIN LATERAL (SELECT greatest(date_trunc('month', s.starts_on)::date, '\(period.firstDay)') AS day) d
        JOIN   (SELECT schedule, min(effective_on) AS effective_on FROM schedule WHERE kind = '\(kind)'
                GROUP BY schedule) t ON t.schedule = s.\(column)
        WHERE  t.effective_on > d.day AND s.ends_on >= d.day
        """
    }

    func applyContracts() throws(PgError) -> [ImportCount] {
        let terms = ContractTerms(link, period: period)
        try terms.keepFormer()
        try link.run(
            """
            INSERT INTO agency (agency_id, name)
            SELECT DISTINCT agency_id, agency_name FROM import_row
            ON CONFLICT (agency_id) DO UPDATE SET name = excluded.name
            WHERE NOT EXISTS (SELECT FROM agency_term t WHERE t.agency_id = agency.agency_id AND t.period > $1)
            """, [.int32(period.number)])
        try link.run(Self.upsertContracts, [.int32(period.number)])
        try link.run(
            """
            INSERT INTO contract_capacity
                   (contract_id, delegation_id, portfolio, committed_advisers, accounts_per_adviser)
            SELECT contract_id, delegation_id, portfolio, advisers, accounts FROM \(ContractTerms.capacity) s
            ON CONFLICT (contract_id, delegation_id, portfolio) DO UPDATE SET
                committed_advisers = excluded.committed_advisers, accounts_per_adviser = excluded.accounts_per_adviser
            WHERE NOT EXISTS (SELECT FROM capacity_term t
                WHERE (t.contract_id, t.delegation_id, t.portfolio) = (contract_capacity.contract_id,
                    contract_capacity.delegation_id, contract_capacity.portfolio) AND t.period > $1)
            """, [.int32(period.number)])
        try terms.keep()
        return [
            ImportCount("agencies", try count("SELECT count(DISTINCT agency_id) FROM import_row")),
            ImportCount("contracts", try count("SELECT count(DISTINCT contract_id) FROM import_row")),
            ImportCount("contracts and delegations", try count("SELECT count(*) FROM import_row")),
        ]
    }

    /// $1 the period from which the file's terms hold: those of a later month are not overwritten. A contract that its budget ended goes on
    /// only under another fee schedule (AGY-15).
    private static let upsertContracts = """
        INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
                              capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule, penalty_schedule,
                              rule_packs, spent_on)
        SELECT DISTINCT ON (contract_id)
               contract_id, agency_id, number, tender, zone_id,
               (SELECT array_agg(number::smallint ORDER BY number)
                FROM   unnest(ARRAY['preventive', 'administrative', 'dual', 'mediation'])
                       WITH ORDINALITY AS known (word, number)
                WHERE  word = ANY (string_to_array(strategies, ';'))),
               starts_on, least(ends_on, spent.spent_on), capacity_basis, bond, exposure_basis, exposure_factor_bp,
               fee_schedule, penalty_schedule, string_to_array(rule_packs, ';'), spent.spent_on
        FROM   import_row r \(ContractTerms.spent)
        ORDER  BY contract_id, line
        ON CONFLICT (contract_id) DO UPDATE SET
            number = excluded.number, tender = excluded.tender, zone_id = excluded.zone_id,
            strategies = excluded.strategies, starts_on = excluded.starts_on, ends_on = excluded.ends_on,
            spent_on = excluded.spent_on,
            capacity_basis = excluded.capacity_basis, bond = excluded.bond, exposure_basis = excluded.exposure_basis,
            exposure_factor_bp = excluded.exposure_factor_bp, fee_schedule = excluded.fee_schedule,
            penalty_schedule = excluded.penalty_schedule, rule_packs = excluded.rule_packs
        WHERE NOT EXISTS (SELECT FROM contract_term t WHERE t.contract_id = contract.contract_id AND t.period > $1)
        """
}
