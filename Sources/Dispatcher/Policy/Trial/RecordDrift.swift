// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Where `segment` would place accounts otherwise today than they are on record, although it is the same policy: a trial sees the
/// stops, certificates and starts of now, the placements were made with those of then.
///
/// Which sessions are given to whom is left out: an account that may be invited and one that is count as alike.
package struct RecordDrift: Encodable, Sendable {
    package struct Move: Encodable, Sendable {
        /// The rule on record, and the one that would be; `none`: nothing to collect.
        package let from, to: String
        /// `stop`: a stop, certificate, review or territory without visits; `start`: it started within the month, and was placed
        /// as of its own day.
        package let cause: String
        package let accounts: Int64
    }

    /// By accounts, the most first.
    package let moves: [Move]
    package let accounts: Int64
    /// Placed on record, and not placed by `segment` today, and the other way round.
    package let placedOnRecordOnly: Int64
    package let placedNowOnly: Int64
    /// The cut itself is newer than the placements: what else of it would move is not counted.
    package let hasNewerCut: Bool

    private struct Key: Hashable {
        let from, to, cause: String
    }

    /// - Parameter policy: the one that placed the period, as it places accounts.
    init(_ policy: Policy, _ territory: VisitTerritory, _ link: PgLink, period: Period) throws {
        let store = SegmentationStore(link, period: period)
        let cut = SegmentationRun.cutDay(period)
        let segmenter = Segmenter(policy, cut: cut)
        var counts: [Key: Int64] = [:]
        var (recordOnly, nowOnly): (Int64, Int64) = (0, 0)
        for delegation in Delegation.all {
            let changed = try store.changedPlacements(delegation, visited: territory)
            try store.readChanged(delegation, changed.keys.sorted(), cut: cut) { account, row in
                let recorded = changed[account]?.recorded
                let now = segmenter.row(account, row)
                guard !Self.isAlike(recorded, now, policy) else { return }
                // Rule and portfolio are the same where the class alone is another one.
                let isClass = recorded?.words == now?.words
                let key = Key(
                    from: (recorded?.words ?? "none") + (isClass ? Self.classWords(recorded?.priority) : ""),
                    to: (now?.words ?? "none") + (isClass ? Self.classWords(now?.priority) : ""),
                    cause: changed[account]?.isStarted == true ? "start" : "stop")
                counts[key, default: 0] += 1
                let (was, isNow) = (recorded?.strategy != nil, now?.strategy != nil)
                if was, !isNow { recordOnly += 1 }
                if isNow, !was { nowOnly += 1 }
            }
        }
        moves = counts.map { Move(from: $0.from, to: $0.to, cause: $0.cause, accounts: $1) }
            .sorted { ($1.accounts, $0.from, $0.to, $0.cause) < ($0.accounts, $1.from, $1.to, $1.cause) }
        accounts = counts.values.reduce(0, +)
        placedOnRecordOnly = recordOnly
        placedNowOnly = nowOnly
        hasNewerCut = try store.hasNewerCut()
    }

    private static func classWords(_ priority: Int16?) -> String { priority.map { ", class \($0)" } ?? "" }

    private static func isAlike(_ recorded: RecordedVerdict?, _ now: PlacementRow?, _ policy: Policy) -> Bool {
        guard let recorded, let now else { return recorded == nil && now == nil }
        if recorded.strategy == Invitation.strategy, now.strategy == policy.invitation?.from {
            return recorded.tactic == now.tactic
        }
        return recorded.rule == now.rule && recorded.portfolio == now.portfolio && recorded.priority == now.priority
    }

    private static let shownMax = 8

    /// Nothing where all is on record as it would be placed.
    var lines: [String] {
        var lines: [String] = []
        if accounts > 0 {
            let causes = [
                "stop": "by stops and what else is known since", "start": "by starts, placed as of their day",
            ]
            let parts = ["stop", "start"].compactMap { cause -> String? in
                let count = moves.reduce(0) { $0 + ($1.cause == cause ? $1.accounts : 0) }
                return count > 0 ? "\(Figure.grouped(count)) \(causes[cause] ?? "")" : nil
            }
            lines.append(
                "on record otherwise than the policy in force would place them today: \(Figure.grouped(accounts)) accounts, "
                    + parts.joined(separator: ", "))
            var table = TextTable(columns: [.left, .left, .left, .right, .left])
            for move in moves.prefix(Self.shownMax) {
                table.row(["  " + move.from, "->", move.to, Figure.grouped(move.accounts), "by \(move.cause)s"])
            }
            lines += table.lines
            let more = moves.count - Self.shownMax
            if more > 0 { lines.append("  and \(more) more kinds of moves") }
            lines.append(
                "\(Figure.grouped(placedOnRecordOnly)) of them are placed on record and not today, "
                    + "\(Figure.grouped(placedNowOnly)) today and not on record")
        }
        if hasNewerCut { lines.append("the cut is newer than the placements on record: segment again") }
        return lines
    }
}

extension Segmenter {
    /// The row that this policy would write for an account, sessions aside; `nil`: nothing to collect.
    func row(_ account: Int64, _ row: borrowing AccountRow) -> PlacementRow? {
        switch verdict(for: row, offers: offers(for: row)) {
        case .excluded(let index): PlacementRow.excluded(account, policy.exclusions[index].reason)
        case .placed(let placement): PlacementRow.placed(account, placement, self)
        case .nothingToCollect: nil
        }
    }
}

extension RecordedVerdict {
    fileprivate var words: String { rule + (portfolio.map { " by \($0.name)" } ?? "") }
}

extension PlacementRow {
    fileprivate var words: String { rule + (portfolio.map { " by \($0.name)" } ?? "") }
}
