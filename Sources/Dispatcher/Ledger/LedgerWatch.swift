// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// The verification that nodes do by themselves: one delegation after the other, chosen by a seed that goes on by one each time.
///
/// What was found is kept, so that it can be seen after the log is gone.
package enum LedgerWatch {
    package struct Look: Equatable, Sendable {
        package let delegations: [Int16]
        package let records: Int
        package let findings: [String]
    }

    /// Verifies one delegation, if the time has come and no other node is at it.
    ///
    /// - Returns: what was looked at; `nil` where it is not due.
    package static func run(_ link: PgLink, every interval: Duration) throws -> Look? {
        let store = WatchStore(link)
        // In one transaction with the look: the lock keeps other nodes out. The snapshot begins here.
        return try link.transaction {
            try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            guard try store.isDue(every: interval) else { return nil }
            let seed = try store.count() + 1
            let verification = LedgerVerification(link)
            let delegations = try verification.delegations(sample: 1, seed: UInt64(seed))
            let report = try verification.runInSnapshot(sample: 1, seed: UInt64(seed))
            let findings = report.findings.prefix(findingsMax).map { "\($0.place): \($0.found)" }
            try store.add(
                delegations: delegations, seed: seed, records: Int64(report.records), findings: Array(findings))
            return Look(delegations: delegations, records: report.records, findings: Array(findings))
        }
    }

    /// Findings of one look that are kept.
    static let findingsMax = 100

    /// What nodes found, for people: the latest looks, those with findings in full.
    package static func lines(_ link: PgLink) throws -> (lines: [String], hasFindings: Bool) {
        let store = WatchStore(link)
        let (looks, withFindings) = try store.totals()
        guard looks > 0 else { return (["no node has looked yet; see ledger.watch-minutes"], false) }
        var table = TextTable(columns: [.left, .left, .right, .right])
        table.row(["at", "delegation", "records", "findings"])
        let rows = try store.rows(limit: 20)
        for row in rows {
            table.row([
                "\(row.at)", row.delegations.map(String.init).joined(separator: " "), grouped(row.records),
                "\(row.findings.count)",
            ])
        }
        let found = rows.flatMap { row in row.findings.map { "\(row.at) \($0)" } }
        return (
            table.lines + found + ["", "\(grouped(looks)) looks, \(grouped(withFindings)) with findings"],
            withFindings > 0
        )
    }
}
