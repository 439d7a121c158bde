// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// How one table's rows say what their records must have: each column is a field of the record, the first one its name.
struct StoredRowQuery {
    let kind: String
    /// Columns that were written by people, and are one word in a record.
    var words: Set<String> = []
    /// Columns with centavos.
    var amounts: Set<String> = []
    var instants: Set<String> = []
    let columns: [String]
    /// `$1` is the delegation. Texts, but for amounts (bigint) and instants.
    let sql: String

    func row(_ row: PgRow) -> StoredRow {
        var fields: [String: String?] = [:]
        for (index, column) in columns.enumerated() {
            let number = index + 1
            if amounts.contains(column) {
                // A quota without a bond has no limit of exposure, and says so.
                fields[column] =
                    row.optionalInt64(number).map { Cents($0).description } ?? (kind == "quota" ? "none" : nil)
            } else if instants.contains(column) {
                fields[column] = row.timestamp(number).description
            } else {
                let text = row.optionalText(number)
                fields[column] = words.contains(column) ? text.map(StoredRow.word) : text
            }
        }
        let name = row.text(0)
        return StoredRow(kind: kind, name: words.contains("id") ? StoredRow.word(name) : name, fields: fields)
    }

    static let all = [
        StoredRowQuery(
            kind: "evidence", instants: ["at"],
            columns: ["agency", "verb", "account", "epoch", "code", "counts", "content", "at"],
            sql: """
                SELECT evidence_id::text, 'ACE' || CASE WHEN agency_id < 10 THEN '0' ELSE '' END || agency_id,
                       nullif(verb, 'REPORT'), account_id::text, epoch::text, code,
                       CASE counts WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'pending' END,
                       CASE request_hash WHEN substr(sha256(convert_to(content, 'UTF8')), 1, 16)
                            THEN encode(request_hash, 'hex') ELSE encode(request_hash, 'hex') || ' of other content' END,
                       received_at
                  FROM evidence WHERE delegation_id = $1
                """),
        StoredRowQuery(
            kind: "review", words: ["reason", "by"], instants: ["at"], columns: ["decision", "reason", "by", "at"],
            sql: """
                SELECT outcome_id::text, decision, reason, reviewer, reviewed_at FROM review WHERE delegation_id = $1
                UNION ALL
                SELECT outcome_id::text, decision, decision_reason, reviewer, decided_at FROM contest
                 WHERE delegation_id = $1 AND decision IS NOT NULL
                """),
        StoredRowQuery(
            kind: "payment", words: ["id", "reverses"], amounts: ["amount"],
            columns: ["account", "paid", "amount", "origin", "reverses"],
            sql: """
                SELECT payment_id, account_id::text, paid_on::text, amount, origin, reverses
                  FROM payment WHERE delegation_id = $1
                """),
        StoredRowQuery(
            kind: "fact", words: ["id", "subject", "value", "minimum", "weight", "supersedes"],
            columns: ["contract", "kind", "on", "subject", "value", "minimum", "weight", "supersedes", "portfolio"],
            sql: """
                SELECT fact_id, contract_id::text, kind, on_date::text, subject, value, minimum, weight, supersedes,
                       portfolio::text
                  FROM fact WHERE delegation_id = $1
                """),
        // What an opening took over was in force before anything was recorded.
        StoredRowQuery(
            kind: "quota", amounts: ["exposure"], columns: ["accounts", "exposure"],
            sql: """
                SELECT q.contract_id || ' '
                       || (ARRAY['preventive', 'administrative', 'dual', 'mediation'])[q.strategy] || ' '
                       || (ARRAY['telephone', 'home-visit'])[q.portfolio],
                       h.limit_accounts::text, h.limit_exposure
                  FROM quota_history h JOIN quota q USING (delegation_id, quota_id)
                 WHERE h.delegation_id = $1 AND h.since > timestamptz '1901-01-01 00:00Z'
                 ORDER BY h.quota_id, h.entry
                """),
    ]
}
