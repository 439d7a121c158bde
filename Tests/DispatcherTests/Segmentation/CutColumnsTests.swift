// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct CutColumnsTests {
    private let cut = SegmentationRun.cutDay(PlannedMonth.march)

    /// All that rows and columns of the period say of each account.
    private func rows(_ store: SegmentationStore) throws -> [Int64: AccountRow] {
        var rows: [Int64: AccountRow] = [:]
        for delegation in Delegation.all {
            try store.readCut(delegation, cut: cut) { account, row in rows[account] = copy row }
        }
        return rows
    }

    private func columns(_ store: SegmentationStore, _ scopes: [CutScope], capacity: Int) throws -> [Int64: AccountRow]
    {
        let fields = AccountField.stored
        let overlay = try store.readOverlay(cut: cut, fields: fields)
        let batch = ColumnBatch(fields: fields, capacity: capacity)
        var rows: [Int64: AccountRow] = [:]
        for scope in scopes {
            try store.readColumns(scope, overlay: overlay, into: batch) { batch in
                for index in 0..<batch.count {
                    var row = AccountRow(cut: cut)
                    batch.read(index, into: &row)
                    #expect(rows.updateValue(row, forKey: batch.accounts[index]) == nil)
                }
            }
        }
        return rows
    }

    @Test(arguments: [7, 4_096])
    func `columns hold what rows hold, stops too`(capacity: Int) async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            for (index, reason) in ["lawsuit", "death", "payoff", "fpp", "extension", "dispute", "disaster"]
                .enumerated()
            {
                try month.addStop(account: 1_400_005 + Int64(index), reason: reason)
            }
            let store = SegmentationStore(month.link, period: PlannedMonth.march)
            let expected = try rows(store)

            #expect(expected.count == 3_800)
            #expect(try columns(store, try store.stretches(), capacity: capacity) == expected)
            #expect(try columns(store, Delegation.all.map { .delegation($0) }, capacity: capacity) == expected)
        }
    }

    @Test func `a delegation comes by account number`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(descending: true)
            let store = SegmentationStore(month.link, period: PlannedMonth.march)
            let batch = ColumnBatch(fields: [.delegation], capacity: 100)
            var accounts: [Int64] = []
            let delegation = try #require(Delegation(14))
            let overlay = try store.readOverlay(delegation, cut: cut, fields: batch.fields)
            try store.readColumns(.delegation(delegation), overlay: overlay, into: batch) { batch in
                accounts += UnsafeBufferPointer(start: batch.accounts, count: batch.count)
            }

            #expect(accounts == (1...1_900).map { 1_400_000 + $0 })
        }
    }

    @Test func `a period without a cut has no stretches`() async throws {
        try await PlannedMonth.with { month in
            let stretches = try SegmentationStore(month.link, period: PlannedMonth.march).stretches()

            #expect(stretches.isEmpty)
        }
    }

    @Test func `every placement is what the rule-by-rule reading of its account says`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let policy = try month.policy.policy(for: PlannedMonth.march)
            let segmenter = Segmenter(policy, cut: cut)
            let placed = try month.link.run(
                "SELECT account_id, rule, portfolio, priority, exclusion, offers FROM placement WHERE strategy IS DISTINCT FROM 4"
            )
            let rows = try rows(SegmentationStore(month.link, period: PlannedMonth.march))
            for row in placed {
                let account = try #require(rows[row.int64(0)])
                #expect(row.int64(5) == Int64(bitPattern: segmenter.offers(for: account)))
                switch segmenter.verdict(for: account) {
                case .excluded(let index): #expect(row.optionalText(4) == policy.exclusions[index].reason)
                case .placed(let placement):
                    #expect(row.text(1) == segmenter.rule(placement))
                    #expect(row.optionalInt16(2) == placement.portfolio.rawValue)
                    #expect(row.optionalInt16(3) == placement.priority)
                case .nothingToCollect: Issue.record("a row for an account with nothing to collect")
                }
            }
        }
    }
}
