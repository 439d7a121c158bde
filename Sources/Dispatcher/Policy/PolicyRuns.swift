// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Which policies placed accounts, when, and what came of it: every run that changed placements.
package struct PolicyRuns: Encodable {
    package struct Run: Encodable {
        package let period: String
        package let at: String
        package let policy: String
        package let version: String
        /// SHA-256 of the policy's file, of what its rules read of the cut, and of the placements; in hexadecimal digits.
        package let policySHA256: String
        package let cutSHA256: String
        package let placementsSHA256: String
        package let accounts: Int64
        package let placed: Int64
        package let excluded: Int64
        package let milliseconds: Int64?
        /// Whether its placements are those of the period now.
        package let stands: Bool
    }

    package let runs: [Run]

    /// - Parameter period: one month; `nil`: all of them.
    package init(_ link: PgLink, period: Period?) throws {
        let read = try SegmentationStore.runs(link, period: period)
        let latest = Dictionary(read.enumerated().map { ($1.period, $0) }) { _, later in later }
        runs = read.enumerated().map { number, run in
            Run(
                period: "\(run.period)", at: "\(run.madeAt)", policy: run.row.policy, version: run.row.policyVersion,
                policySHA256: LedgerTree.hex(run.row.policyDigest), cutSHA256: LedgerTree.hex(run.row.cutDigest),
                placementsSHA256: LedgerTree.hex(run.row.digest), accounts: run.row.accounts, placed: run.row.placed,
                excluded: run.row.excluded, milliseconds: run.milliseconds, stands: latest[run.period] == number)
        }
    }

    /// For people: one run a line, the oldest first; `*` marks those that stand.
    package var lines: [String] {
        guard !runs.isEmpty else { return ["nothing is segmented yet"] }
        let header = [
            "period", "", "at", "policy", "version", "accounts", "placed", "excluded", "policy digest",
            "digest of what it reads", "placements digest", "took",
        ]
        var table = TextTable(columns: header.indices.map { (5...7).contains($0) || $0 == 11 ? .right : .left })
        table.row(header)
        for run in runs {
            table.row([
                run.period, run.stands ? "*" : "", run.at, run.policy, run.version, Console.grouped(Int(run.accounts)),
                Console.grouped(Int(run.placed)), Console.grouped(Int(run.excluded)),
                String(run.policySHA256.prefix(16)),
                String(run.cutSHA256.prefix(16)), String(run.placementsSHA256.prefix(16)),
                run.milliseconds.map { "\($0 / 1_000).\($0 % 1_000 / 100) s" } ?? "",
            ])
        }
        return table.lines
    }

    /// The file of the policy that placed a period, byte for byte as it was read.
    package static func text(_ link: PgLink, period: Period) throws -> String {
        try PlanDraft.placements(link, period: period).1.text
    }
}
