// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Work plans as they are proposed, and what scorecards weigh.
extension ImportStore {
    // MARK: Goals

    var goalChecks: [String] {
        [
            duplicates("goal_id", column: "goal", value: "s.goal_id", what: "the same goal"),
            """
            SELECT s.line, 'indicator', s.indicator,
                   'another goal of the file has the same contract, delegation, tactic and indicator'
            FROM   import_row s
            WHERE  EXISTS (SELECT FROM import_row o WHERE o.line <> s.line AND o.delegation_id = s.delegation_id
                               AND o.indicator = s.indicator AND o.contract_id IS NOT DISTINCT FROM s.contract_id
                               AND o.tactic IS NOT DISTINCT FROM s.tactic)
            """,
            """
            SELECT s.line, 'goal', s.goal_id,
                   'the goal is proposed already, with other content; a change is a new goal'
            FROM   import_row s JOIN work_goal g USING (goal_id)
            WHERE  (g.period, g.contract_id, g.delegation_id, g.tactic, g.indicator, g.minimum, g.weight, g.note)
                   IS DISTINCT FROM
                   (\(period.number), s.contract_id, s.delegation_id, s.tactic, s.indicator, s.minimum, s.weight, s.note)
            """,
            """
            SELECT s.line, 'goal', s.goal_id, 'a fact has that number'
            FROM   import_row s
            WHERE  EXISTS (SELECT FROM fact f WHERE f.fact_id = s.goal_id)
            AND    NOT EXISTS (SELECT FROM work_goal g WHERE g.goal_id = s.goal_id)
            """,
            """
            SELECT s.line, 'contract', s.contract_id::text, 'there is no such contract; import contracts first'
            FROM   import_row s
            WHERE  s.contract_id IS NOT NULL
            AND    NOT EXISTS (SELECT FROM contract c WHERE c.contract_id = s.contract_id)
            """,
            """
            SELECT s.line, 'delegation', s.delegation_id::text,
                   'contract ' || s.contract_id || ' does not work in that delegation'
            FROM   import_row s
            WHERE  s.contract_id IS NOT NULL
            AND    NOT EXISTS (SELECT FROM contract_capacity c
                               WHERE c.contract_id = s.contract_id AND c.delegation_id = s.delegation_id)
            """,
        ]
    }

    /// The tactics that a goal may name, and what is wrong with another one.
    package struct GoalTactics: Sendable {
        let names: [String]
        let fault: String

        package init(_ names: [String], fault: String) {
            self.names = names
            self.fault = fault
        }
    }

    /// The column that names a goal's tactic, the tactic, and whether the row is a goal that is not there yet; `nil`: no goals.
    private var goalTactic: (column: String, tactic: String, isNew: String)? {
        switch kind {
        case .goals:
            (
                "tactic", "s.tactic",
                "s.tactic IS NOT NULL AND NOT EXISTS (SELECT FROM work_goal g WHERE g.goal_id = s.goal_id)"
            )
        case .facts:
            (
                "subject", "split_part(s.subject, ':', 2)",
                "s.kind = 'goal' AND s.subject LIKE '%:%' AND NOT EXISTS (SELECT FROM fact f WHERE f.fact_id = s.fact_id)"
            )
        case .zones, .schedules, .contracts, .cut, .opening, .payments, .stops, .starts, .weights, .scores: nil
        }
    }

    func tacticCheck(_ tactics: GoalTactics) -> String? {
        goalTactic.map { goal in
            let names = tactics.names.map(Self.quoted).joined(separator: ", ")
            return """
                SELECT s.line, '\(goal.column)', \(goal.tactic), \(Self.quoted(tactics.fault))
                FROM   import_row s
                WHERE  \(goal.isNew) AND NOT \(goal.tactic) = ANY (ARRAY[\(names)]::text[])
                """
        }
    }

    /// The first rows that name a tactic of a month of which nobody knows its tactics yet.
    package func tacticsNamed(limit: Int32) throws(PgError) -> [(line: Int, column: String, tactic: String)] {
        guard let goal = goalTactic else { return [] }
        return try link.run(
            "SELECT s.line, \(goal.tactic) FROM import_row s WHERE \(goal.isNew) ORDER BY s.line LIMIT $1",
            [.int32(limit)]
        ).map { (Int($0.int32(0)), goal.column, $0.text(1)) }
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    func applyGoals(_ importID: Int64) throws(PgError) -> [ImportCount] {
        let rows = try link.run(
            """
            INSERT INTO work_goal
                   (period, goal_id, contract_id, delegation_id, tactic, indicator, minimum, weight, note, import_id)
            SELECT $1, goal_id, contract_id, delegation_id, tactic, indicator, minimum, weight, note, $2
            FROM   import_row ORDER BY line
            ON CONFLICT (goal_id) DO NOTHING
            """, [.int32(period.number), .int64(importID)]
        ).affected
        return [
            ImportCount("goals proposed", Int64(rows)),
            ImportCount("goals already there", try count("SELECT count(*) FROM import_row") - Int64(rows)),
        ]
    }

    // MARK: Weights

    var weightChecks: [String] {
        [
            duplicates("measure", column: "measure", value: "s.measure", what: "the same measure"),
            """
            SELECT s.line, 'weight', s.weight::text, 'nothing of the file weighs more than 0'
            FROM   import_row s
            WHERE  NOT EXISTS (SELECT FROM import_row o WHERE o.weight > 0)
            """,
        ]
    }

    func applyWeights(_ importID: Int64) throws(PgError) -> [ImportCount] {
        let former = try link.run("DELETE FROM scorecard_weight WHERE period = $1", [.int32(period.number)]).affected
        let rows = try link.run(
            """
            INSERT INTO scorecard_weight (period, measure, weight, sample, import_id)
            SELECT $1, measure, weight, sample, $2 FROM import_row
            """, [.int32(period.number), .int64(importID)]
        ).affected
        return [ImportCount("weights", Int64(rows)), ImportCount("earlier weights replaced", Int64(former))]
    }
}
