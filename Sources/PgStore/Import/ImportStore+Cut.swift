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
        try link.script("SELECT start_partition('account', \(period.number))")
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
        let accounts = try count("SELECT count(*) FROM \(cutLoad)")
        try link.script(
            """
            SET LOCAL maintenance_work_mem = '256MB';
            SELECT index_partition('account', \(period.number))
            """)
        let dropped = try dropSegmentation()
        // From here to the commit readers of any cut wait; nothing below reads rows.
        try link.script("SELECT swap_partition('account', \(period.number))")
        return [ImportCount("accounts", accounts), ImportCount("segmentations of the former cut dropped", dropped)]
    }

    /// A segmentation is of the accounts that it read; the new cut needs its own.
    private func dropSegmentation() throws(PgError) -> Int64 {
        try link.script("SELECT empty_placements(\(period.number))")
        return Int64(try link.run("DELETE FROM segmentation WHERE period = $1", [.int32(period.number)]).affected)
    }
}
