// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a segmentation came to. Every account of the cut is in exactly one of the counts.
package struct SegmentationReport: Encodable, Sendable {
    package struct Placed: Encodable, Sendable {
        package let strategy: String
        package let tactic: String
        package let portfolio: String
        package let accounts: Int64
    }
    package struct Excluded: Encodable, Sendable {
        package let reason: String
        package let title: String
        package let accounts: Int64
    }
    package struct Sessions: Encodable, Sendable {
        package let capacity: Int64
        package let candidates: Int64
        package let invited: Int64
    }

    package let period: String
    package let policy: String
    package let policyVersion: String
    package let accounts: Int64
    package let placedAccounts: Int64
    package let excludedAccounts: Int64
    package let placed: [Placed]
    package let excluded: [Excluded]
    /// Accounts that no rule asks anything of (rule `none`): what owes nothing, and what no strategy takes although it does.
    package let nothingToCollect: Int64
    package let sessions: Sessions
    package let policyDigest: String
    /// Of what the policy's rules read of the cut, so that it changes with the policy too.
    package let cutDigest: String
    package let digest: String
    /// Whether the same placements were there already; then nothing was written.
    package let isUnchanged: Bool
    /// Where a pack that the policy brings has no visits, so that all are worked by telephone; absent without such places.
    package internal(set) var noVisits: String?
    /// What is probably not meant: strategies that contracts are made for and nobody is placed in.
    package internal(set) var warnings: [String] = []

    /// One page for people.
    package var lines: [String] {
        var table = TextTable(columns: [.left, .left, .left, .right])
        for strategy in Strategy.allCases.reversed() {
            let rows = placed.filter { $0.strategy == strategy.name }
            guard !rows.isEmpty else { continue }
            table.row([strategy.name, "", "", Self.grouped(rows.reduce(0) { $0 + $1.accounts })])
            for row in rows { table.row(["", row.tactic, row.portfolio, Self.grouped(row.accounts)]) }
        }
        table.row(["placed", "", "", Self.grouped(placedAccounts)])
        for row in excluded { table.row(["excluded", row.reason, "", Self.grouped(row.accounts)]) }
        table.row(["excluded", "", "", Self.grouped(excludedAccounts)])
        table.row(["nothing to collect", "", "", Self.grouped(nothingToCollect)])
        table.row(["accounts", "", "", Self.grouped(accounts)])
        var lines = ["\(period) by policy \(policy) \(policyVersion)", ""] + table.lines
        lines.append("")
        if sessions.capacity > 0 || sessions.candidates > 0 {
            lines.append(
                "mediation: \(Self.grouped(sessions.invited)) invited of \(Self.grouped(sessions.candidates)) candidates, "
                    + "for \(Self.grouped(sessions.capacity)) sessions")
        }
        if let noVisits {
            lines.append("by telephone alone, because the policy's packs have no visits there (GEO-02): \(noVisits)")
        }
        if nothingToCollect > 0 {
            lines.append(
                "nothing to collect: nothing is overdue, or what is overdue is taken by no strategy; `dispatcherd policy what-if` tells them apart"
            )
        }
        lines += warnings.map { "warning: \($0)" }
        lines.append(
            "digests: policy \(policyDigest.prefix(16)), what its rules read of the cut \(cutDigest.prefix(16)), "
                + "placements \(digest.prefix(16))")
        if isUnchanged { lines.append("nothing changed: the same placements were there already") }
        return lines
    }

    private static func grouped(_ value: Int64) -> String { Console.grouped(Int(value)) }
}
