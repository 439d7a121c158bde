// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What a file is about. The name is that of the command and of the row in table `import`.
package enum ImportKind: String, Sendable, CaseIterable {
    case zones, schedules, contracts, cut, opening, payments, stops, starts, goals, facts, weights, scores

    /// Whether a later file of the kind puts rows in the place of an earlier one's, where the others only add.
    var isReplaced: Bool {
        switch self {
        case .zones, .schedules, .contracts, .cut, .weights, .scores: true
        case .opening, .payments, .stops, .starts, .goals, .facts: false
        }
    }
}

/// How many rows one step of an import touched, in words for people.
package struct ImportCount: Hashable, Sendable {
    package let label: String
    package let count: Int64

    package init(_ label: String, _ count: Int64) {
        self.label = label
        self.count = count
    }
}

/// What is known of a file that was taken in before.
package struct FormerImport: Sendable {
    package let rowsGood: Int64
    package let rowsBad: Int64
    package let importedAt: Timestamp
}

/// The tables that files go through: staged by COPY, checked by sets, then applied. All calls belong into one
/// transaction.
///
/// Staged rows are in `import_row` (for a cut in the partition to be), what the checks refuse moves to `import_bad`.
package struct ImportStore {
    package struct StagedColumn: Sendable {
        let name: String
        let type: String

        package init(_ name: String, type: String) {
            self.name = name
            self.type = type
        }
    }

    let link: PgLink
    let kind: ImportKind
    let period: Period

    package init(_ link: PgLink, kind: ImportKind, period: Period) {
        self.link = link
        self.kind = kind
        self.period = period
    }

    /// Opens the period where it is new, and keeps other imports, plans and the close of it out until the
    /// transaction ends.
    ///
    /// - Returns: the period's state: open, closing, closed; and whether it is new.
    /// - Locks: the period's row, in a mode that its foreign keys do not wait for.
    package func lockPeriod() throws(PgError) -> (state: String, isNew: Bool) {
        let opened = try link.run(
            "INSERT INTO period (period, opened_at) VALUES ($1, now_instant()) ON CONFLICT DO NOTHING",
            [.int32(period.number)]
        ).affected
        let rows = try link.run(
            "SELECT state FROM period WHERE period = $1 FOR NO KEY UPDATE", [.int32(period.number)])
        return (rows.first?.text(0) ?? "missing", opened > 0)
    }

    /// The day that the database's clock shows where it comes first in Mexico.
    package func today() throws(PgError) -> LocalDate {
        let rows = try link.run("SELECT now_instant()")
        return rows.first.map { MexicanTimeZone.cancun.local($0.timestamp(0)).date } ?? period.lastDay
    }

    /// The import of the same bytes, if what they brought is still what the database has.
    ///
    /// What replaces or changes rows is undone by a later file, so of such kinds only the latest file counts: of a cut
    /// of weights and of scores the latest of its period, of the others, which belong to no period, the latest of all. Starts count
    /// until a certificate is revoked, which can make the same row another start.
    package func former(digest: [UInt8]) throws(PgError) -> FormerImport? {
        let rows = try link.run(
            """
            SELECT rows_good, rows_bad, imported_at
            FROM   import i
            WHERE  kind = $1 AND period = $2 AND digest = $3
            AND    (NOT $4 OR NOT EXISTS (
                       SELECT FROM import l WHERE l.kind = i.kind
                           AND (l.period = i.period OR i.kind NOT IN ('cut', 'weights', 'scores')) AND l.import_id > i.import_id))
            AND    (kind <> 'starts' OR NOT EXISTS (
                       SELECT FROM certificate c WHERE c.revoked_at >= i.imported_at))
            ORDER  BY import_id DESC LIMIT 1
            """, [.text(kind.rawValue), .int32(period.number), .bytes(digest), .bool(kind.isReplaced)])
        return rows.first.map {
            FormerImport(rowsGood: $0.int64(0), rowsBad: $0.int64(1), importedAt: $0.timestamp(2))
        }
    }

    /// Books the file.
    ///
    /// - Returns: the import's number, which its rows carry.
    package func record(
        fileName: String, digest: [UInt8], rowsGood: Int64, rowsBad: Int64
    ) throws(PgError) -> Int64 {
        // What comes back after another one is the latest again; its rows do not name their import.
        if kind.isReplaced {
            try link.run(
                "DELETE FROM import WHERE kind = $1 AND period = $2 AND digest = $3",
                [.text(kind.rawValue), .int32(period.number), .bytes(digest)])
        }
        let rows = try link.run(
            """
            INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
            VALUES ($1, $2, $3, $4, $5, $6, now_instant())
            RETURNING import_id
            """,
            [
                .text(kind.rawValue), .int32(period.number), .text(fileName), .bytes(digest), .int64(rowsGood),
                .int64(rowsBad),
            ])
        return rows.first?.int64(0) ?? 0
    }

    // MARK: Staging

    var staging: String { kind == .cut ? cutLoad : "import_row" }

    /// Makes the empty tables for one file.
    ///
    /// - Returns: the COPY statement that fills them: `line` first, then `columns` in their order.
    package func stage(_ columns: [StagedColumn]) throws(PgError) -> String {
        try link.script(
            """
            CREATE TEMPORARY TABLE import_bad (line integer, column_name text, value text, reason text) ON COMMIT DROP
            """)
        if kind == .cut {
            try stageCut()
        } else {
            let definitions = columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
            try link.script("CREATE TEMPORARY TABLE import_row (line integer, \(definitions)) ON COMMIT DROP")
        }
        let names = columns.map(\.name).joined(separator: ", ")
        // FREEZE: the table was made in this transaction, so its rows need no second visit by vacuum.
        return "COPY \(staging) (line, \(names)) FROM STDIN (FORMAT binary\(kind == .cut ? ", FREEZE" : ""))"
    }

    /// Moves staged rows that contradict each other or what is there already to `import_bad`, until none is left.
    ///
    /// - Returns: how many rows were moved.
    package func check(contractLevelColumns: [String] = [], tactics: GoalTactics? = nil) throws(PgError) -> Int {
        // Temporary tables have no statistics of their own until they are asked for.
        try link.script("ANALYZE \(staging)")
        if kind == .cut, try !hasDuplicateAccounts() { return 0 }
        var moved = 0
        for select in checks(contractLevelColumns) { moved += try move(select) }
        if let select = tactics.flatMap(tacticCheck) { moved += try move(select) }
        for select in chainedChecks {
            var found = 0
            repeat {
                found = try move(select)
                moved += found
            } while found > 0
        }
        return moved
    }

    /// Reads what ``check(contractLevelColumns:)`` found, by line.
    package func readBad(
        _ row: (_ line: Int, _ column: String, _ value: String, _ reason: String) throws -> Void
    ) throws {
        let sql =
            """
            COPY (SELECT line, column_name, value, reason FROM import_bad ORDER BY line, column_name, reason)
            TO STDOUT (FORMAT binary)
            """
        try link.copyOut(sql) { reader in
            try row(Int(reader.int32()), reader.text(), reader.optionalText() ?? "", reader.text())
        }
    }

    /// Takes the staged rows over into the tables that they are for.
    package func apply(importID: Int64, seal: DealEndings.Seal) throws -> [ImportCount] {
        switch kind {
        case .zones: try applyZones()
        case .schedules: try applySchedules()
        case .contracts: try applyContracts()
        case .cut: try applyCut()
        case .payments: try applyPayments(importID)
        case .stops: try applyStops(importID, seal: seal)
        // What they need besides is read elsewhere: see StartStore, OpeningStore.
        case .starts, .opening: []
        case .facts: try applyFacts(importID)
        case .scores: try applyScores(importID)
        case .goals: try applyGoals(importID)
        case .weights: try applyWeights(importID)
        }
    }

    private func move(_ select: String) throws(PgError) -> Int {
        try link.run(
            """
            WITH bad AS (INSERT INTO import_bad \(select) RETURNING line)
            DELETE FROM \(staging) WHERE line IN (SELECT line FROM bad)
            """
        ).affected
    }

    /// Selects of line, column, value and reason, each of rows that cannot be taken.
    private func checks(_ contractLevelColumns: [String]) -> [String] {
        switch kind {
        case .zones: zoneChecks
        case .schedules: scheduleChecks
        case .contracts: contractChecks(contractLevelColumns)
        case .cut: cutChecks
        case .payments: paymentChecks
        case .stops: stopChecks
        case .starts: startChecks
        case .opening: openingChecks
        case .facts: factChecks
        case .scores: scoreChecks
        case .goals: goalChecks
        case .weights: weightChecks
        }
    }

    /// Checks whose finds can make further rows bad: they run until they find nothing.
    private var chainedChecks: [String] {
        switch kind {
        case .facts: [factSupersedesCheck, factRingCheck]
        case .schedules: scheduleOverlapChecks + [scheduleParameterCheck, scheduleTaxCheck]
        case .zones, .contracts, .cut, .opening, .payments, .stops, .starts, .goals, .weights, .scores: []
        }
    }

    // MARK: Parts of checks

    /// Rows that have `key` in common with another row of the file. All of them: nobody can tell which one is right.
    func duplicates(_ key: String, column: String, value: String, what: String) -> String {
        let join = key.split(separator: ",").map { column in
            let name = column.filter { $0 != " " }
            return "s.\(name) = d.\(name)"
        }.joined(separator: " AND ")
        return """
            SELECT s.line, '\(column)', \(value),
                   '\(what) is in line ' || CASE WHEN s.line = d.first THEN d.last ELSE d.first END || ' too'
                   || CASE WHEN d.times > 2 THEN ', ' || d.times || ' times in all' ELSE '' END
            FROM   \(staging) s
            JOIN   (SELECT \(key), min(line) AS first, max(line) AS last, count(*) AS times
                    FROM \(staging) GROUP BY \(key) HAVING count(*) > 1) d ON \(join)
            """
    }

    func count(_ sql: String, _ values: [PgValue] = []) throws(PgError) -> Int64 {
        try link.run(sql, values).first?.int64(0) ?? 0
    }
}
