// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The cut: loaded into a table of its own, checked, indexed, and only then put in the place of the period's former
/// one.
extension ImportStore {
    var cutLoad: String { "account_\(period.number)_load" }

    /// The state of a plan that stands on the cut that is there: dealing or applied; `nil` where there is none.
    package func planState() throws(PgError) -> String? {
        try link.run(
            "SELECT state FROM plan WHERE period = $1 AND state <> 'discarded'", [.int32(period.number)]
        ).first?.text(0)
    }

    func stageCut() throws(PgError) {
        // The check makes attaching the partition a matter of the catalogue, without reading it.
        try link.script(
            """
            CREATE TABLE \(cutLoad) (LIKE account);
            ALTER TABLE \(cutLoad) ALTER COLUMN period SET DEFAULT \(period.number),
                ADD CONSTRAINT \(cutLoad)_period CHECK (period = \(period.number))
            """)
    }

    /// Whether duplicates are worth looking for: a sort of numbers, where finding their rows is a join of all of them.
    func hasDuplicateAccounts() throws(PgError) -> Bool {
        try link.script("SET LOCAL work_mem = '256MB'")
        return try count("SELECT count(*) - count(DISTINCT account_id) FROM \(cutLoad)") > 0
    }

    var cutChecks: [String] {
        [duplicates("account_id", column: "account", value: "s.account_id::text", what: "the same account")]
    }

    func applyCut() throws(PgError) -> [ImportCount] {
        let partition = "account_\(period.number)"
        let accounts = try count("SELECT count(*) FROM \(cutLoad)")
        try link.script(
            """
            SET LOCAL maintenance_work_mem = '256MB';
            ALTER TABLE \(cutLoad) ALTER COLUMN period DROP DEFAULT,
                ADD CONSTRAINT \(cutLoad)_pkey PRIMARY KEY (delegation_id, account_id);
            ANALYZE \(cutLoad)
            """)
        let dropped = try dropSegmentation()
        // From here to the commit readers of any cut wait; nothing below reads rows.
        try link.script(
            """
            DROP TABLE IF EXISTS \(partition);
            ALTER TABLE \(cutLoad) RENAME TO \(partition);
            ALTER INDEX \(cutLoad)_pkey RENAME TO \(partition)_pkey;
            ALTER TABLE account ATTACH PARTITION \(partition) FOR VALUES IN (\(period.number));
            ALTER TABLE \(partition) DROP CONSTRAINT \(cutLoad)_period
            """)
        return [ImportCount("accounts", accounts), ImportCount("segmentations of the former cut dropped", dropped)]
    }

    /// A segmentation is of the accounts that it read; the new cut needs its own.
    private func dropSegmentation() throws(PgError) -> Int64 {
        let placements = "placement_\(period.number)"
        let exists = try link.run("SELECT to_regclass($1) IS NOT NULL", [.text(placements)]).first?.bool(0) ?? false
        if exists {
            try link.script("TRUNCATE \(placements)")
        } else {
            try link.run("DELETE FROM placement WHERE period = $1", [.int32(period.number)])
        }
        return Int64(try link.run("DELETE FROM segmentation WHERE period = $1", [.int32(period.number)]).affected)
    }
}
