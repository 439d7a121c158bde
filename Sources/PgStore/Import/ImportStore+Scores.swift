// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// How contracts were rated in a period, for shares by scorecard. A file takes the place of the period's earlier ones.
extension ImportStore {
    var scoreChecks: [String] {
        [
            duplicates(
                "contract_id, delegation_id", column: "contract", value: "s.contract_id::text",
                what: "the same contract and delegation"),
            """
            SELECT s.line, 'contract', s.contract_id::text, 'there is no such contract; import contracts first'
            FROM   import_row s
            WHERE  NOT EXISTS (SELECT FROM contract c WHERE c.contract_id = s.contract_id)
            """,
            """
            SELECT s.line, 'delegation', s.delegation_id::text,
                   'contract ' || s.contract_id || ' does not work in that delegation'
            FROM   import_row s
            WHERE  NOT EXISTS (SELECT FROM contract_capacity c
                               WHERE c.contract_id = s.contract_id AND c.delegation_id = s.delegation_id)
            """,
        ]
    }

    func applyScores(_ importID: Int64) throws(PgError) -> [ImportCount] {
        let former = try link.run("DELETE FROM score WHERE period = $1", [.int32(period.number)]).affected
        let rows = try link.run(
            """
            INSERT INTO score (period, delegation_id, contract_id, points, import_id)
            SELECT $1, delegation_id, contract_id, points, $2 FROM import_row
            """, [.int32(period.number), .int64(importID)]
        ).affected
        return [ImportCount("scores", Int64(rows)), ImportCount("earlier scores replaced", Int64(former))]
    }
}
