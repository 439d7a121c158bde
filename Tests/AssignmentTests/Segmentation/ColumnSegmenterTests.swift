// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ColumnSegmenterTests {
    /// What the reference says of one account, in the words of the columns.
    private func expected(_ segmenter: Segmenter, _ row: AccountRow) -> ColumnOutcome {
        switch segmenter.verdict(for: row) {
        case .excluded(let index): .excluded(index)
        case .placed(let placement): .placed(placement, invited: segmenter.invited(row, placed: placement))
        case .nothingToCollect: .nothingToCollect
        }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func `columns say of every account what rows say of it`(seed: UInt64) throws {
        var random = RandomPolicy(seed: seed)
        let columns = try ColumnSegmenter(random.policy(), cut: random.cut)
        let verdicts = columns.makeVerdicts()
        let batch = columns.makeBatch()
        // Two batches: what the first one left behind must not be seen by the second.
        for size in [1_500, 1 + random.below(1_100)] {
            batch.removeAll()
            let rows = (0..<size).map { _ in random.row() }
            for (index, row) in rows.enumerated() { batch.append(Int64(index), row) }
            columns.evaluate(batch, into: verdicts)

            let differing = rows.indices.filter { index in
                columns.outcomes[Int(verdicts.code(index))] != expected(columns.segmenter, rows[index])
                    || verdicts.offers(index) != columns.segmenter.offers(for: rows[index])
            }
            #expect(differing == [], "policy \(columns.segmenter.policy)")
        }
    }

    @Test(
        arguments: [
            (nil, 2_499), (2_500, nil), (500, 2_500), (0, nil), (nil, 0), (10_000, 16_382), (16_383, nil),
            (nil, 16_383),
            (20_000, 30_000), (nil, -1), (-5, 3), (5, 4), (5_000, 5_000), (5_001, 5_001), (32_765, 32_765),
            (32_766, nil),
            (nil, 32_766), (nil, 32_767), (32_767, nil),
        ] as [(Int64?, Int64?)])
    func `a share is tested at, below and above its ends as it is by division`(first: Int64?, last: Int64?) throws {
        var random = RandomPolicy(seed: 1)
        var policy = random.policy()
        policy.relief = []
        policy.exclusions = [
            Exclusion(
                reason: "share", title: policy.title, origins: [],
                when: .range(.balanceShare, atLeast: first.map { .value($0) }, atMost: last.map { .value($0) }),
                until: nil)
        ]
        let columns = try ColumnSegmenter(policy, cut: random.cut)
        let amounts: [Int64] = [
            0, 1, 3, 4, 499, 500, 2_499, 2_500, 2_501, 9_999, 10_000, 16_383, 30_000, 99_999_999_999_999, 1 << 49 - 1,
        ]
        let wide: [Int64] = [1 << 49, Int64.max, -1, Int64.min + 1]
        for values in [amounts, amounts + wide] {
            let batch = columns.makeBatch()
            for balance in values {
                for whole in values {
                    var row = AccountRow(cut: random.cut)
                    row[.balance] = balance
                    row[.originalAmount] = whole
                    batch.append(1, row)
                }
            }
            let verdicts = columns.makeVerdicts()
            columns.evaluate(batch, into: verdicts)
            var row = AccountRow(cut: random.cut)
            for index in 0..<batch.count {
                batch.read(index, into: &row)
                #expect(columns.outcomes[Int(verdicts.code(index))] == expected(columns.segmenter, row))
            }
        }
    }

    @Test func `every code is counted`() throws {
        var random = RandomPolicy(seed: 5)
        let columns = try ColumnSegmenter(random.policy(), cut: random.cut)
        let batch = columns.makeBatch(capacity: 1_003)
        while batch.count < batch.capacity { batch.append(1, random.row()) }
        let verdicts = columns.makeVerdicts(capacity: batch.capacity)
        columns.evaluate(batch, into: verdicts)
        var counts = columns.makeCounts()
        verdicts.count(into: &counts)

        for code in columns.outcomes.indices {
            #expect(counts[code] == Int64((0..<1_003).count { verdicts.code($0) == code }))
        }
    }

    @Test func `every offer is counted`() throws {
        var random = RandomPolicy(seed: 3)
        var policy = random.policy()
        policy.relief = (0..<11).map { index in
            Relief(name: "o\(index)", title: policy.title, origins: [], when: random.condition())
        }
        let columns = try ColumnSegmenter(policy, cut: random.cut)
        let batch = columns.makeBatch(capacity: 1_003)
        while batch.count < batch.capacity { batch.append(1, random.row()) }
        let verdicts = columns.makeVerdicts(capacity: batch.capacity)
        columns.evaluate(batch, into: verdicts)
        var counts = columns.makeOfferCounts()
        verdicts.countOffers(into: &counts)

        for relief in policy.relief.indices {
            #expect(counts[relief] == Int64((0..<1_003).count { verdicts.offers($0) & 1 << UInt64(relief) != 0 }))
        }
    }

    @Test func `the sum of a cut does not depend on the order of its accounts, and on everything else`() {
        var random = RandomPolicy(seed: 2)
        let rows = (0..<100).map { _ in random.row() }
        func sum(_ order: [Int], changing: Int? = nil) -> ColumnSum {
            let batch = ColumnBatch(fields: AccountField.stored, capacity: 64)
            let summer = ColumnSummer(fields: batch.fields, capacity: batch.capacity)
            for index in order {
                var row = rows[index]
                if index == changing { row[.hasEmail] = row[.hasEmail] == 1 ? 0 : 1 }
                batch.append(Int64(index), row)
                if batch.count == batch.capacity {
                    summer.add(batch)
                    batch.removeAll()
                }
            }
            summer.add(batch)
            return summer.sum
        }

        #expect(sum(Array(0..<100)) == sum((0..<100).reversed()))
        #expect(sum(Array(0..<100)) != sum(Array(0..<99)))
        for index in 0..<100 { #expect(sum(Array(0..<100)) != sum(Array(0..<100), changing: index)) }
    }

    @Test func `a batch gives back what was put into it, missing values too`() {
        var random = RandomPolicy(seed: 1)
        let batch = ColumnBatch(fields: AccountField.stored, capacity: 100)
        let rows = (0..<100).map { _ in random.row() }
        for row in rows { batch.append(7, row) }
        var read = AccountRow(cut: random.cut)
        for (index, row) in rows.enumerated() {
            batch.read(index, into: &read)
            #expect(read == row)
        }
    }

    @Test func `a policy with more combinations than codes is refused`() {
        var random = RandomPolicy(seed: 1)
        var policy = random.policy()
        policy.exclusions = (0..<255).map { index in
            Exclusion(
                reason: "r\(index)", title: policy.title, origins: [], when: .isKnown(.lawsuitOn), until: nil)
        }

        #expect(throws: ColumnSegmenter.TooManyOutcomes.self) {
            try ColumnSegmenter(policy, cut: LocalDate(daysSince1970: 1))
        }
    }
}
