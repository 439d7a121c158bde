// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension PlacementRow {
    static func placed(_ account: Int64, _ placement: Placement, _ segmenter: Segmenter) -> PlacementRow {
        PlacementRow(
            account: account, strategy: placement.strategy, tactic: segmenter.tactics[Int(placement.tactic)],
            portfolio: placement.portfolio, priority: placement.priority, rule: segmenter.rule(placement),
            exclusion: nil)
    }

    static func excluded(_ account: Int64, _ reason: String) -> PlacementRow {
        PlacementRow(
            account: account, strategy: nil, tactic: nil, portfolio: nil, priority: nil, rule: "exclusion.\(reason)",
            exclusion: reason)
    }
}
